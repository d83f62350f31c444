/** The chapter of what Local Llama does to the models of a server, its lists, and what a model lacks before anything is sent. */
import { formatDuration } from '../../values/duration';
import type { ErrorType } from '../error-types';
import type { Facts } from '../facts';
import type { ListIssue, ModelActionIssue, UnsupportedAction } from '../issues';
import { suggestModels } from '../other-models';
import type { Row, Words } from './row';
import { defineRow } from './row';
import { join } from '../sentences';
import { SERVER_TEXTS } from './server-texts';

const OF_ACTION: readonly ErrorType[] = [
	'featureDisabled',
	'modelNotFound',
	'modelLoadFailed',
	'modelLoading',
	'busy',
	'serverError',
	'streamEndedEarly',
];

const OF_LIST: readonly ErrorType[] = ['featureDisabled', 'modelNotFound', 'invalidResponse'];

/** The actions, as text after "cannot". */
const ACTIONS: Readonly<Record<UnsupportedAction['action'], string>> = {
	load: 'load or unload models',
	unload: 'load or unload models',
	pull: 'download models',
	remove: 'delete models',
};

const BY_NAME = 'Enter the model name with "By Name".';

type Server = Facts['server'];

export const SERVER_ROWS: readonly Row[] = [
	defineRow({
		types: OF_ACTION,
		needs: ['modelActionIssue', 'model'],
		tell: ({ modelActionIssue, model }) => describeAction(modelActionIssue, model),
	}),
	defineRow({
		types: ['featureDisabled'],
		needs: ['unsupportedAction', 'server'],
		tell: ({ unsupportedAction: { action, supporting }, server: { type, label } }) => ({
			title: `${label} cannot ${ACTIONS[action]} on request`,
			suggestion: join(
				`Only ${supporting.join(', ')} support this.`,
				action === 'load' || action === 'unload' ? SERVER_TEXTS[type].noModelActions : undefined,
			),
		}),
	}),
	defineRow({
		types: OF_LIST,
		needs: ['listIssue', 'server'],
		tell: ({ listIssue, server }) => describeList(listIssue, server),
	}),
	defineRow({
		types: ['featureDisabled'],
		needs: ['listsNoVoices'],
		tell: () => ({
			title: 'The server does not list its voices',
			suggestion:
				'Enter the name of the voice with "By Name": the documentation of the model lists them.',
		}),
	}),
	defineRow({
		types: ['wrongModelType'],
		needs: ['decisionModel'],
		tell: ({ decisionModel }) => ({
			title: `The model "${decisionModel}" answers typed questions with probabilities, and does not write text`,
			suggestion: 'Select a chat model, or use this one in Local Llama (Text: Decide or Classify).',
		}),
	}),
	defineRow({
		types: ['toolsUnsupported', 'modalityUnsupported'],
		needs: ['modelLack', 'model', 'server'],
		tell: ({ modelLack, model, server: { type, label } }) =>
			modelLack === 'tools'
				? {
						title: `The chat template of this model does not support tools, so ${label} would ignore them`,
						suggestion: SERVER_TEXTS[type].tools,
					}
				: {
						title: `The model "${model}" does not support images`,
						suggestion: SERVER_TEXTS[type].suggestions?.modalityUnsupported,
					},
	}),
];

function describeAction(issue: ModelActionIssue, model: string): Words {
	switch (issue.kind) {
		case 'singleModel':
			return {
				title:
					'This llama-server serves a single model and cannot load, unload, download or delete models',
				suggestion:
					'llama-server works as a router when it is started without a model: llama-server --models-dir FOLDER.',
			};
		case 'notOffered':
			return {
				title: `The server does not offer the model "${model}"`,
				suggestion: suggestModels(
					issue.offered,
					'put its GGUF file into the folder of --models-dir and restart the router.',
				),
			};
		case 'exited':
			return {
				detail: `The process for the model "${model}" exited with code ${issue.exitCode ?? 'unknown'}`,
			};
		case 'notDone':
			return {
				title: `The model "${model}" was not ${issue.action}ed within ${formatDuration(issue.afterMs)}`,
				suggestion:
					'Raise the timeout of the node. Large models on slow disks take minutes to load, and a busy model stays loaded until its response is complete.',
			};
		case 'inMemory':
			return {
				title: `The model "${model}" is still in memory after ${formatDuration(issue.afterMs)}`,
				suggestion:
					'Raise the timeout of the node. A model stays loaded until its current response is complete.',
			};
		case 'busy':
			return describeBusyModel(issue, model);
		case 'notDownloaded':
			return {
				title: `The router could not download the model "${model}"`,
				suggestion:
					'Enter the name of a Hugging Face repository, such as USER/REPOSITORY:Q4_K_M. Check the router log for details.',
			};
		case 'downloadEnded':
			return {
				title: `Ollama stopped before the download of the model "${model}" was complete`,
				suggestion:
					'Try again: the downloaded data is kept. Check the server log, and any proxies that end long responses.',
			};
	}
}

function describeBusyModel(
	{ requests, afterMs }: ModelActionIssue & { kind: 'busy' },
	model: string,
): Words {
	const count = `${requests ?? 0} ${requests === 1 ? 'request' : 'requests'}`;
	if (afterMs === undefined)
		return {
			title: `The model "${model}" is processing ${count}; unloading it would cut off the responses`,
			suggestion:
				'Turn on Wait Until Done to let the responses finish first, or unload the model later. Force Unload unloads it now.',
		};
	const state =
		requests === undefined ? 'may still be processing requests' : `is still processing ${count}`;
	return {
		title: `The model "${model}" ${state} after ${formatDuration(afterMs)}, so it was not unloaded`,
		suggestion:
			'Raise the timeout of the node, or stop the requests to the model. Force Unload unloads it now and cuts off the responses.',
	};
}

function describeList(issue: ListIssue, { type, label }: Server): Words {
	const { noModels, tasks } = SERVER_TEXTS[type];
	switch (issue.kind) {
		case 'empty':
			return {
				title: 'The server has no models',
				suggestion: orByName(
					`${noModels}${issue.hasKey ? ' Or give the key access to its models.' : ''}`,
				),
			};
		case 'noneFor':
			return {
				title: `The server has no model for ${issue.purpose}`,
				suggestion: orByName(tasks[issue.task].suggestion),
			};
		case 'tooLong':
			return {
				title: `The server lists ${issue.count} models, more than ${issue.maximum}`,
				suggestion: BY_NAME,
			};
		case 'noReranking':
			return {
				title: `${label} does not support reranking`,
				suggestion: tasks.rerank.suggestion,
			};
	}
}

function orByName(advice: string) {
	return `${advice} You can also enter a name with "By Name".`;
}
