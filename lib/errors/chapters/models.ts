/** The chapter of models, keys and tasks: what a server has, what it cannot do, and what it makes of a request. */
import type { ErrorType } from '../error-types';
import { ERROR_TYPES, getErrorText, isConnectionError, isUnknownError } from '../error-types';
import type { Facts } from '../facts';
import type { JsonRecord } from '../../values/records';
import { describeLackingTask } from '../lacking-task';
import { isMissingStatus } from '../missing-route';
import { suggestModels } from '../other-models';
import type { Row, Words } from './row';
import { defineRow } from './row';
import { join } from '../sentences';
import { SERVER_TEXTS } from './server-texts';

/** The route, the feature or the model for a task is missing. Tasks send no images, so a server without images lacks the task. */
const LACKS_TASK: readonly ErrorType[] = [
	'featureDisabled',
	'wrongModelType',
	'modalityUnsupported',
	'routeNotFound',
];

/** Names of models in the details of an error. */
const MAX_MODELS = 50;

/** What to do about rules that cannot be converted. */
const RULES_ADVICE: Readonly<Record<Facts['convertedRules'], string>> = {
	schema: 'Simplify the JSON schema: patterns, formats and large ranges are the usual cause.',
	grammar: 'Check the GBNF grammar.',
	tools:
		'Simplify the schemas of the tools: patterns, formats and large ranges are the usual cause.',
};

/** For an address at which nothing but other paths responds. */
const NO_API =
	'Check the Base URL: the program at this address has neither a model list nor this endpoint.';

/** What nothing but the words of the server explains. */
const OF_COMMAND: readonly ErrorType[] = ERROR_TYPES.filter(isUnknownError);

/** What to do about a command that a server refused; undefined: nothing is known of it. */
function adviseOnCommand(command: Facts['modelCommand']): string | undefined {
	if (command.kind === 'pull')
		return command.hasBegun
			? 'The registry has the model, and what was downloaded is kept: try again. If it fails again, the log of Ollama may say more.'
			: 'Check the name and the tag on ollama.com/library, for example qwen3:8b or hf.co/USER/REPOSITORY:Q4_K_M, and that Ollama reaches the registry (HTTPS_PROXY in its environment).';
	// Of a router, nothing else is known to refuse a deletion.
	return command.isRouter
		? 'A router deletes only models it downloaded itself, not those of --models-dir or --models-preset. Delete the file there.'
		: undefined;
}

export const MODEL_ROWS: readonly Row[] = [
	// Commands of Local Llama → Model
	defineRow({
		types: ['modelNotFound'],
		needs: ['modelCommand'],
		tell: ({ modelCommand }) =>
			modelCommand.kind === 'remove'
				? 'It may already be deleted. The list shows the existing models.'
				: adviseOnCommand(modelCommand),
	}),
	defineRow({
		types: OF_COMMAND,
		needs: ['modelCommand'],
		tell: ({ modelCommand }) => adviseOnCommand(modelCommand),
	}),

	// A key that the gateway accepts
	defineRow({
		types: ['unauthorized'],
		needs: ['server', 'mayHaveKeyBehind', 'isListedForKey'],
		tell: ({ server }) => SERVER_TEXTS[server.type].keyBehind,
	}),

	// No header helps where nothing listens.
	defineRow({
		types: ERROR_TYPES.filter((type) => !isConnectionError(type)),
		needs: ['hasPlainAdvice', 'lacksHeaders'],
		tell: () =>
			'This list was requested without Extra Headers, because their expressions need the workflow: enter the name with "By Name", or use fixed values.',
	}),
	defineRow({
		types: ['unauthorized'],
		needs: ['isCloudModel'],
		tell: () =>
			'This model runs in the cloud of Ollama: run "ollama signin" on the machine of the server.',
	}),

	// The model, and what the server cannot do
	defineRow({
		types: ['modelNotFound'],
		needs: ['server', 'mayHaveModelBehind', 'isListedForKey'],
		tell: ({ server }) => SERVER_TEXTS[server.type].modelBehind,
	}),
	// Whatever a server says
	defineRow({
		types: ['modelNotFound', 'badRequest', 'serverError'],
		needs: ['mayLackModel', 'isModelMissing', 'otherModels', 'server', 'model'],
		becomes: 'modelNotFound',
		tell: (facts) => toMissingModel(facts) ?? {},
		getOutput: toModelsOutput,
	}),
	defineRow({
		types: ['modelNotFound'],
		needs: ['isInKnownList', 'model'],
		// What the server says may be about another model, which guards this one.
		tell: ({ model }) =>
			`The server lists the model "${model}", so its name is right: check the server log.`,
	}),
	defineRow({
		types: ['modelNotFound'],
		needs: ['mayLackModel', 'otherModels', 'server', 'model'],
		tell: toMissingModel,
		getOutput: toModelsOutput,
	}),
	defineRow({
		types: ['modelNotFound'],
		needs: ['task', 'server', 'model'],
		tell: ({ server, model }) => {
			const alternative = SERVER_TEXTS[server.type].missingModel?.(model);
			return alternative && `Select the model from the list, or ${alternative}`;
		},
	}),
	defineRow({
		types: ['routeNotFound'],
		needs: ['lacksRoutes', 'model'],
		becomes: 'wrongModelType',
		tell: ({ model }) => {
			const { title, suggestion } = getErrorText('wrongModelType', { model });
			return { title, suggestion };
		},
	}),
	// What the server makes of the request, and of the output of the model
	defineRow({
		types: ['runawayOutput'],
		needs: ['repeatPenaltyLabel'],
		tell: ({ repeatPenaltyLabel }, general) => join(general, `Or set "${repeatPenaltyLabel}".`),
	}),
	defineRow({
		types: ['grammarRejected'],
		needs: ['convertedRules'],
		tell: ({ convertedRules }) => RULES_ADVICE[convertedRules],
	}),
	defineRow({
		types: ['outputParseFailed'],
		needs: ['hasFormatWithTools'],
		tell: () =>
			'Try again without the response format, or without tools: not every server can do both.',
	}),
	defineRow({
		types: ['outputParseFailed'],
		needs: ['hasFixedSeed'],
		tell: (_facts, general) => join('Try again without a fixed Seed.', general),
	}),
	defineRow({
		types: ['toolsUnsupported'],
		needs: ['hasFormatTool'],
		tell: (_facts, general) => ({
			title:
				'The model or server does not support tool calls, which the Structured Output Parser needs',
			suggestion: `${general} Or remove the parser and set Response Format of the model to JSON Schema.`,
		}),
	}),
	defineRow({
		types: ['wrongModelType'],
		needs: ['task', 'server', 'model'],
		becomes: 'wrongModelType',
		tell: toWrongModel,
	}),
	// Servers with native routes start each model for its task, so the model is the wrong one.
	defineRow({
		types: ['featureDisabled'],
		needs: ['task', 'server', 'model'],
		becomes: 'wrongModelType',
		tell: (facts) => (facts.server.hasNativeRoutes ? toWrongModel(facts) : undefined),
	}),
	defineRow({
		types: ['routeNotFound'],
		needs: ['isUnprovenAddress', 'isModelServer', 'task', 'server', 'model', 'status'],
		becomes: 'featureDisabled',
		tell: (facts) => {
			const lack = toLackOfTask(facts);
			return lack && { ...lack, suggestion: join(NO_API, lack.suggestion) };
		},
	}),
	defineRow({
		types: ['routeNotFound'],
		needs: ['isUnprovenAddress', 'isModelServer'],
		tell: () => join(NO_API, 'If the API has a prefix, such as /api, add it to the Base URL.'),
	}),
	defineRow({
		types: LACKS_TASK,
		needs: ['task', 'server', 'model', 'status'],
		becomes: 'featureDisabled',
		tell: toLackOfTask,
	}),
	defineRow({
		types: ['badRequest'],
		needs: ['isRouteMissing', 'task', 'server', 'model', 'status'],
		becomes: 'featureDisabled',
		tell: toLackOfTask,
	}),
	defineRow({
		types: ['invalidResponse'],
		needs: ['isEmptyBody', 'task', 'server', 'model', 'status'],
		becomes: 'featureDisabled',
		tell: toLackOfTask,
	}),
	defineRow({
		types: ['routeNotFound'],
		needs: ['isRightAddress', 'isModelServer'],
		tell: () =>
			'The address is right, but the server does not have this endpoint: update the server, or use another one with its own credential.',
	}),
];

/** The last rows: nothing is known of the response but its address. */
export const ADDRESS_ROWS: readonly Row[] = [
	defineRow({
		types: ['invalidResponse'],
		needs: ['isRightAddress'],
		tell: () =>
			'The server, or a proxy in front of it, is broken or outdated: the details contain its message.',
	}),
];

/** The models that the server has instead; undefined if nothing helps. */
function toMissingModel({
	otherModels,
	server,
	model,
}: Pick<Facts, 'otherModels' | 'server' | 'model'>): string | undefined {
	const { missingModel } = SERVER_TEXTS[server.type];
	return suggestModels(otherModels, missingModel?.(model)) || undefined;
}

function toModelsOutput(facts: Pick<Facts, 'otherModels' | 'server' | 'model'>): JsonRecord {
	return toMissingModel(facts) === undefined
		? {}
		: { models: facts.otherModels.slice(0, MAX_MODELS) };
}

/** What an error about a task is made of. */
type LackingTask = Pick<Facts, 'task' | 'server' | 'model'>;

/** Only of embeddings is it certain that a model lacks them. */
function toWrongModel({ task, server, model }: LackingTask): Words | undefined {
	if (task !== 'embeddings') return undefined;
	const { suggestion } = SERVER_TEXTS[server.type].tasks.embeddings;
	return {
		title: `The model "${model}" is not an embedding model`,
		suggestion: `Choose an embedding model. ${suggestion}`,
	};
}

/** The server, or its model, does not do what it was asked to do; undefined if the address is wrong instead. */
function toLackOfTask({
	task,
	server: { type, label, hasEveryRoute },
	model,
	status,
}: LackingTask & Pick<Facts, 'status'>): Words | undefined {
	const { tasks } = SERVER_TEXTS[type];
	const isRecognized = type !== 'other';
	const isOfAddress = isMissingStatus(status) && (hasEveryRoute || !isRecognized);
	if (task === 'embeddings' && isOfAddress) return undefined;
	const known = { model, advices: tasks, status, label: isRecognized ? label : undefined };
	return { title: describeLackingTask(task, known), suggestion: tasks[task].suggestion };
}
