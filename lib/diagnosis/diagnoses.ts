/**
 * The table of diagnoses: what helps, if certain facts are known. Without its facts, no row gives advice, and that of the type
 * stays (`lib/errors/rows/`).
 */
import { isMissingStatus } from '../errors/missing-route';
import type { ErrorType } from '../errors/error-types';
import { ERROR_TYPES, getErrorText, isUnknownError } from '../errors/error-types';
import { RAISE_BODY_LIMIT } from '../errors/rows/model';
import { adviseOnOption } from '../exchange/named-options';
import { describeLackingTask } from '../servers/task-advice';
import { suggestModels } from '../servers/model-selection';
import { other } from '../servers/types/other';
import { suggestLargerContext, suggestOtherModel, suggestShorterResponse } from './context-size';
import type { Advice, Diagnosis } from './diagnosis';
import { defineDiagnosis } from './diagnosis';
import type { Facts } from './facts';

/** Errors of which only the server's own sentence says more. */
const UNEXPLAINED: readonly ErrorType[] = ERROR_TYPES.filter(isUnknownError);

/** Their words may be about a value as well: a file, a schema, a prompt. */
const PERHAPS_ABOUT_OPTION: readonly ErrorType[] = [
	'modalityUnsupported',
	'promptTooLong',
	'grammarRejected',
	'featureDisabled',
	'requestTooLarge',
];

/** The route, the feature or the model for a task is missing. Tasks send no images, so a server without images lacks the task. */
const LACKS_TASK: readonly ErrorType[] = [
	'featureDisabled',
	'wrongModelType',
	'modalityUnsupported',
	'routeNotFound',
];

/** Few servers say that a file is the reason. */
const PERHAPS_ABOUT_FILE: readonly ErrorType[] = ['badRequest', 'serverError'];

/** Types that most servers read. */
const USUAL_MEDIA: ReadonlySet<string> = new Set([
	'image/jpeg',
	'image/png',
	'audio/wav',
	'audio/mp3',
	'audio/flac',
]);

/** The same for recordings, by their content. */
const USUAL_RECORDINGS: ReadonlySet<string> = new Set(['audio/wav', 'audio/mpeg', 'audio/flac']);

/** Bytes: nginx accepts as much by default, and no proxy less. */
const SMALLEST_BODY_LIMIT = 1_000_000;

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

/** For a model that is loading while its server is checked. */
export const WAIT_FOR_MODEL =
	'Wait for it with the operation "Wait Until Ready". Large models on slow disks take minutes; if loading never finishes, check the server log.';

/** A server that accepts connections, and responds to no probe. */
const SILENT_SERVER: Readonly<Record<Facts['checkedService'], string>> = {
	modelServer:
		'The server process may be frozen (out of memory and swapping, a hung GPU driver), a port forward (Docker, ssh -L) may lead nowhere, or the server is slow: raise Check Timeout.',
	dify: 'Its API or database may be overloaded or hung: check docker compose ps and docker compose logs api, or raise Check Timeout.',
};

/** The first row whose facts are all known, and that gives advice, counts. */
export const DIAGNOSES: readonly Diagnosis[] = [
	// An option that the response names
	defineDiagnosis({
		types: UNEXPLAINED,
		needs: ['namedOptions'],
		advise: ({ namedOptions }) => namedOptions.map(adviseOnOption).join(' '),
	}),
	defineDiagnosis({
		types: PERHAPS_ABOUT_OPTION,
		needs: ['namedOptions'],
		advise: ({ namedOptions }) => ({
			type: 'badRequest',
			suggestion: namedOptions.map(adviseOnOption).join(' '),
		}),
	}),

	// A text that is refused alone
	defineDiagnosis({
		types: ['invalidResponse'],
		needs: ['refusedText', 'currentAdvice'],
		// Python and Go write NaN, which is no JSON. What is wrong with a readable response is in its own advice.
		advise: ({ refusedText, currentAdvice }) =>
			refusedText.isUnreadable
				? 'The result may contain values that are not numbers: half-precision models fail on some texts and graphics cards. Use another quantization, or run the model on the CPU (num_gpu 0 or -ngl 0).'
				: currentAdvice,
	}),
	defineDiagnosis({
		types: ERROR_TYPES,
		needs: ['refusedText', 'textNoun'],
		advise: ({ refusedText, textNoun }) =>
			refusedText.isShortened
				? `Change this ${textNoun.toLowerCase()}: the server refuses its beginning as well.`
				: undefined,
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['textNoun', 'serverType'],
		advise: ({ textNoun, serverType: { texts } }) =>
			join(
				`Split documents into smaller chunks, or set the option Long ${textNoun}s to Truncate.`,
				texts.longerTexts,
			),
	}),
	defineDiagnosis({
		types: ERROR_TYPES,
		needs: ['refusedText', 'textNoun'],
		advise: ({ textNoun: noun }) => {
			const name = noun.toLowerCase();
			return `Change or shorten this ${name}. To send only the beginning of ${name}s that are too long, set the option Long ${noun}s to Truncate.`;
		},
	}),

	// The size of a request
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['promptTokens', 'contextTokens', 'responseTokens'],
		// The prompt fits, so a larger context is not needed.
		advise: suggestShorterResponse,
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['contextTokens', 'responseTokens'],
		advise: ({ contextTokens, responseTokens }) =>
			responseTokens < contextTokens
				? undefined
				: `Lower Maximum Tokens: a response of ${responseTokens} tokens leaves no room for the prompt in a context of ${contextTokens}.`,
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['largestPart', 'promptTokens', 'serverType', 'contextSizes'],
		advise: ({ largestPart, promptTokens, serverType, contextSizes }) =>
			join(
				largestPart,
				toAlternative(suggestLargerContext(promptTokens, contextSizes, serverType)),
				suggestOtherModel(promptTokens, contextSizes),
			),
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['shorterPrompt', 'promptTokens', 'serverType', 'contextSizes'],
		advise: ({ shorterPrompt, promptTokens, serverType, contextSizes }) =>
			join(
				suggestLargerContext(promptTokens, contextSizes, serverType),
				suggestOtherModel(promptTokens, contextSizes),
				shorterPrompt,
			),
	}),
	// The type's own advice is about files; a file counts in bytes here, not in tokens.
	defineDiagnosis({
		types: ['requestTooLarge'],
		needs: ['media', 'currentAdvice'],
		advise: ({ currentAdvice }) => currentAdvice,
	}),
	defineDiagnosis({
		types: ['requestTooLarge'],
		needs: ['largestPart'],
		advise: ({ largestPart }) => join(largestPart, toAlternative(RAISE_BODY_LIMIT)),
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['largestPart', 'currentAdvice'],
		advise: ({ largestPart, currentAdvice }) => join(largestPart, toAlternative(currentAdvice)),
	}),
	defineDiagnosis({
		types: ['promptTooLong'],
		needs: ['shorterPrompt', 'currentAdvice'],
		advise: ({ shorterPrompt, currentAdvice }) => join(currentAdvice, shorterPrompt),
	}),
	defineDiagnosis({
		types: ['closedBeforeResponse'],
		needs: ['brokenUpload'],
		advise: ({ brokenUpload: { fileSize, sentBytes } }) => ({
			ownTitle: `The connection was closed during the file upload (${sentBytes} bytes sent)`,
			suggestion:
				fileSize < SMALLEST_BODY_LIMIT
					? 'The file is smaller than any usual limit, so the server itself closed the connection: check its log.'
					: 'The usual cause is a file that is too large for the server or a proxy in front of it (nginx: client_max_body_size): its log says so.',
		}),
	}),
	defineDiagnosis({
		types: ['emptyResponse'],
		needs: ['truncation'],
		advise: ({ truncation }) => ({
			type: 'promptTooLong',
			ownTitle: 'The server truncated the input, and the model returned an empty response',
			suggestion: truncation,
		}),
	}),
	defineDiagnosis({
		types: ['invalidResponse'],
		needs: ['truncation', 'currentAdvice'],
		advise: ({ truncation, currentAdvice }) => join(truncation, currentAdvice),
	}),

	// A key that the gateway accepts
	defineDiagnosis({
		types: ['unauthorized'],
		needs: ['keyBehind', 'isListedForKey'],
		advise: ({ keyBehind }) => keyBehind,
	}),

	// The model, and what the server cannot do
	defineDiagnosis({
		types: ['modelNotFound'],
		needs: ['modelBehind', 'isListedForKey'],
		advise: ({ modelBehind }) => modelBehind,
	}),
	// Whatever a server says
	defineDiagnosis({
		types: ['modelNotFound', 'badRequest', 'serverError'],
		needs: ['mayLackModel', 'isModelMissing', 'otherModels', 'serverType', 'model'],
		advise: (facts) => ({ ...toMissingModel(facts), type: 'modelNotFound' }),
	}),
	defineDiagnosis({
		types: ['modelNotFound'],
		needs: ['isInKnownList', 'model'],
		// What the server says may be about another model, which guards this one.
		advise: ({ model }) =>
			`The server lists the model "${model}", so its name is right: check the server log.`,
	}),
	defineDiagnosis({
		types: ['modelNotFound'],
		needs: ['mayLackModel', 'otherModels', 'serverType', 'model'],
		advise: toMissingModel,
	}),
	defineDiagnosis({
		types: ['modelNotFound'],
		needs: ['task', 'serverType', 'model'],
		advise: ({ serverType: { texts }, model }) => {
			const alternative = texts.missingModel?.(model);
			return alternative && `Select the model from the list, or ${alternative}`;
		},
	}),
	defineDiagnosis({
		types: ['routeNotFound'],
		needs: ['lacksRoutes', 'model'],
		advise: ({ model }) => {
			const { title: ownTitle, suggestion } = getErrorText('wrongModelType', { model });
			return { type: 'wrongModelType', ownTitle, suggestion };
		},
	}),
	// What the server makes of the request, and of the output of the model
	defineDiagnosis({
		types: ['grammarRejected'],
		needs: ['convertedRules'],
		advise: ({ convertedRules }) => RULES_ADVICE[convertedRules],
	}),
	defineDiagnosis({
		types: ['outputParseFailed'],
		needs: ['hasFormatWithTools'],
		advise: () =>
			'Try again without the response format, or without tools: not every server can do both.',
	}),
	defineDiagnosis({
		types: ['outputParseFailed'],
		needs: ['hasFixedSeed', 'currentAdvice'],
		advise: ({ currentAdvice }) => join('Try again without a fixed Seed.', currentAdvice),
	}),
	defineDiagnosis({
		types: ['toolsUnsupported'],
		needs: ['hasFormatTool', 'currentAdvice'],
		advise: ({ currentAdvice }) => ({
			ownTitle:
				'The model or server does not support tool calls, which the Structured Output Parser needs',
			suggestion: `${currentAdvice} Or remove the parser and set Response Format of the model to JSON Schema.`,
		}),
	}),
	defineDiagnosis({
		types: ['wrongModelType'],
		needs: ['task', 'serverType', 'model'],
		advise: toWrongModel,
	}),
	// Servers with native routes start each model for its task, so the model is the wrong one.
	defineDiagnosis({
		types: ['featureDisabled'],
		needs: ['task', 'serverType', 'model'],
		advise: (facts) => (facts.serverType.routes ? toWrongModel(facts) : undefined),
	}),
	defineDiagnosis({
		types: ['routeNotFound'],
		needs: ['isUnprovenAddress', 'isModelServer', 'task', 'serverType', 'model', 'status'],
		advise: (facts) => {
			const lack = toLackOfTask(facts);
			return lack && { ...lack, suggestion: join(NO_API, lack.suggestion) };
		},
	}),
	defineDiagnosis({
		types: ['routeNotFound'],
		needs: ['isUnprovenAddress', 'isModelServer'],
		advise: () => join(NO_API, 'If the API has a prefix, such as /api, add it to the Base URL.'),
	}),
	defineDiagnosis({
		types: LACKS_TASK,
		needs: ['task', 'serverType', 'model', 'status'],
		advise: toLackOfTask,
	}),
	defineDiagnosis({
		types: ['badRequest'],
		needs: ['isRouteMissing', 'task', 'serverType', 'model', 'status'],
		advise: toLackOfTask,
	}),
	defineDiagnosis({
		types: ['invalidResponse'],
		needs: ['isEmptyBody', 'task', 'serverType', 'model', 'status'],
		advise: toLackOfTask,
	}),
	defineDiagnosis({
		types: ['routeNotFound'],
		needs: ['isRightAddress', 'isModelServer'],
		advise: () =>
			'The address is right, but the server does not have this endpoint: update the server, or use another one with its own credential.',
	}),
	defineDiagnosis({
		types: ['invalidResponse'],
		needs: ['hasPlainAdvice', 'isRightAddress'],
		advise: () =>
			'The server, or a proxy in front of it, is broken or outdated: the details contain its message.',
	}),

	// Files
	defineDiagnosis({
		types: PERHAPS_ABOUT_FILE,
		needs: ['media', 'isAboutMedia'],
		advise: ({ media }) => adviseOnMediaTypes(media),
	}),
	defineDiagnosis({
		types: PERHAPS_ABOUT_FILE,
		needs: ['media', 'hasNoSentence'],
		advise: ({ media }) =>
			adviseOnMediaTypes(media) ??
			'Send the request without its files, which shows whether the error is about them.',
	}),
	defineDiagnosis({
		types: PERHAPS_ABOUT_FILE,
		needs: ['recording'],
		advise: ({ recording }) => adviseOnRecordingType(recording),
	}),
	defineDiagnosis({
		types: PERHAPS_ABOUT_FILE,
		needs: ['recording', 'hasNoSentence'],
		advise: () => 'Try a short recording in wav, which shows whether the error is about this file.',
	}),

	// Server Health
	defineDiagnosis({
		types: ['modelLoading'],
		needs: ['checkedService'],
		advise: () => WAIT_FOR_MODEL,
	}),
	defineDiagnosis({
		types: ['totalTimeout'],
		needs: ['checkedService', 'isConnected'],
		advise: ({ checkedService }) => SILENT_SERVER[checkedService],
	}),
	defineDiagnosis({
		types: ['totalTimeout'],
		needs: ['checkedService', 'connectionAdvice'],
		advise: ({ connectionAdvice }) =>
			join(connectionAdvice, 'If the server is far away, raise Check Timeout.'),
	}),
	defineDiagnosis({
		types: ['firstTokenTimeout'],
		needs: ['isTestGeneration'],
		advise: () =>
			'It may be processing a very long prompt: check again in a minute. If nothing changes, the GPU is probably hung: look for ROCm, HIP or CUDA errors in the server log, check rocm-smi or nvidia-smi, and restart the server.',
	}),

	// Time
	defineDiagnosis({
		types: ['firstTokenTimeout'],
		needs: ['isSilentTask', 'wasSent'],
		advise: () => ({
			ownTitle: 'The server did not start to respond within the First Token Timeout',
			suggestion:
				'It sends nothing until the result is complete: raise "First Token Timeout" (0 = no limit), request less at a time, or run Server Health to see whether it is busy or stuck.',
		}),
	}),
];

/** Sentences without those that are not known. */
function join(...sentences: ReadonlyArray<string | undefined>): string {
	return sentences.filter(Boolean).join(' ');
}

/** An imperative that follows another one, of which one is enough. */
function toAlternative(step: string | undefined): string | undefined {
	return step && `Or ${step.charAt(0).toLowerCase()}${step.slice(1)}`;
}

/** The models that the server has instead; undefined if nothing helps. */
function toMissingModel({
	otherModels,
	serverType: { texts },
	model,
}: Pick<Facts, 'otherModels' | 'serverType' | 'model'>) {
	const suggestion = suggestModels(otherModels, texts.missingModel?.(model));
	const facts = { models: otherModels.slice(0, MAX_MODELS) };
	return suggestion === '' ? undefined : { suggestion, facts };
}

/** By a file that few servers read, or one that the server fetches itself; undefined if there is none. */
function adviseOnMediaTypes(media: Facts['media']): string | undefined {
	const types = media.map(({ mimeType }) => mimeType);
	const unusual = types.find((type) => type !== undefined && !USUAL_MEDIA.has(type));
	if (unusual !== undefined)
		return `Most servers read only JPEG and PNG, and wav, mp3 and flac. Convert the file of type ${unusual}, or try it without that file.`;
	return types.includes(undefined)
		? 'The server fetches a file from its URL itself: check that its machine reaches the URL, or pass the file on as binary data.'
		: undefined;
}

/** Undefined for a type that most servers read. */
function adviseOnRecordingType(type: string): string | undefined {
	return USUAL_RECORDINGS.has(type)
		? undefined
		: `Most servers read wav, mp3 and flac: try one of these instead of a file of type ${type}.`;
}

/** What an error about a task is made of. */
type LackingTask = Pick<Facts, 'task' | 'serverType' | 'model'>;

/** Only of embeddings is it certain that a model lacks them. */
function toWrongModel({ task, serverType: { texts }, model }: LackingTask): Advice | undefined {
	if (task !== 'embeddings') return undefined;
	return {
		type: 'wrongModelType',
		ownTitle: `The model "${model}" is not an embedding model`,
		suggestion: `Choose an embedding model. ${texts.tasks.embeddings.suggestion}`,
	};
}

/** The server, or its model, does not do what it was asked to do; undefined if the address is wrong instead. */
function toLackOfTask({
	task,
	serverType,
	model,
	status,
}: LackingTask & Pick<Facts, 'status'>): LackOfTask | undefined {
	const { texts, label, hasEveryRoute } = serverType;
	const isRecognized = serverType !== other;
	const isOfAddress = isMissingStatus(status) && (hasEveryRoute || !isRecognized);
	if (task === 'embeddings' && isOfAddress) return undefined;
	const known = { model, advices: texts.tasks, status, label: isRecognized ? label : undefined };
	return {
		type: 'featureDisabled',
		ownTitle: describeLackingTask(task, known),
		suggestion: texts.tasks[task].suggestion,
	};
}

interface LackOfTask {
	type: 'featureDisabled';
	ownTitle: string;
	suggestion: string;
}
