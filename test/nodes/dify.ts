import type {
	ILoadOptionsFunctions,
	IDataObject,
	INodeExecutionData,
	INodeProperties,
	INodeType,
	NodeOperationError,
} from 'n8n-workflow';

import type { DifyAppMode } from '../../lib/dify/types';
import { DifyApp } from '../../nodes/DifyApp/DifyApp.node';
import { DifyChatMessage } from '../../nodes/DifyChatMessage/DifyChatMessage.node';
import { DifyConversation } from '../../nodes/DifyConversation/DifyConversation.node';
import { DifyFeedback } from '../../nodes/DifyFeedback/DifyFeedback.node';
import { DifyWorkflow } from '../../nodes/DifyWorkflow/DifyWorkflow.node';
import { createClient, sendMessage, startSim } from '../lib/dify/client';
import { appKey } from '../simulators/dify';
import type { DifySim } from '../simulators/dify';
import { binaryFile } from '../support/n8n/binary-file';
import { getError } from '../support/jest/get-error';
import { editorContext } from '../support/n8n/editor-context';
import { executeContext } from '../support/n8n/execute-context';
import type { ExecuteFake, ExecuteSetup } from '../support/n8n/execute-context';

/** The Dify nodes, with the editor's default parameters. */
const NODES: {
	difyChatMessage: {
		node: DifyChatMessage;
		filledIn: {
			query: string;
			user: string;
			conversation: string;
			inputsMode: string;
			inputsJson: string;
			simplify: boolean;
			options: {};
		};
	};
	difyFeedback: {
		node: DifyFeedback;
		filledIn: {
			operation: string;
			user: string;
			rating: string;
			content: string;
			options: {};
		};
	};
	difyWorkflow: {
		node: DifyWorkflow;
		filledIn: {
			resource: string;
			operation: string;
			user: string;
			inputsMode: string;
			inputsJson: string;
			files: {};
			simplify: boolean;
			options: {};
		};
	};
	difyApp: {
		node: DifyApp;
		filledIn: {
			user: string;
			inputsMode: string;
			inputsJson: string;
			simplify: boolean;
			options: {};
		};
	};
	difyConversation: {
		node: DifyConversation;
		filledIn: {
			user: string;
			options: {};
		};
	};
} = {
	difyChatMessage: {
		node: new DifyChatMessage(),
		filledIn: {
			query: 'hi',
			user: 'u1',
			conversation: 'new',
			inputsMode: 'json',
			inputsJson: '{}',
			simplify: true,
			options: {},
		},
	},
	difyFeedback: {
		node: new DifyFeedback(),
		filledIn: { operation: 'rate', user: 'u1', rating: 'like', content: '', options: {} },
	},
	difyWorkflow: {
		node: new DifyWorkflow(),
		filledIn: {
			resource: 'run',
			operation: 'execute',
			user: 'u1',
			inputsMode: 'json',
			inputsJson: '{}',
			files: {},
			simplify: true,
			options: {},
		},
	},
	difyApp: {
		node: new DifyApp(),
		filledIn: { user: 'u1', inputsMode: 'json', inputsJson: '{}', simplify: true, options: {} },
	},
	difyConversation: { node: new DifyConversation(), filledIn: { user: 'u1', options: {} } },
};

export type DifyNodeName = keyof typeof NODES;

export type Setup = Partial<ExecuteSetup> & {
	/** The app whose key the credential has. */
	mode?: DifyAppMode;
};

/** The context in which a Dify node works against a simulator. */
export function prepareNode(
	name: DifyNodeName,
	sim: Pick<DifySim, 'url'>,
	{ mode = 'chat', parameters, ...setup }: Setup = {},
): ExecuteFake {
	return executeContext({
		type: `n8n-nodes-local-llama.${name}`,
		credentials: { baseUrl: sim.url, apiKey: appKey(mode), keyType: 'app' },
		parameters: { ...NODES[name].filledIn, ...parameters },
		...setup,
	});
}

/** Runs a node in a context, and gives its items. */
export async function executePrepared(
	name: DifyNodeName,
	{ context }: ExecuteFake,
): Promise<INodeExecutionData[]> {
	const node: INodeType = NODES[name].node;
	const [items] = (await node.execute!.call(context)) as INodeExecutionData[][];
	return items!;
}

/** Dify Chat Message in two steps, for tests that inspect its context. */
export const prepare = (sim: Pick<DifySim, 'url'>, setup?: Setup): ExecuteFake =>
	prepareNode('difyChatMessage', sim, setup);
export const execute = async (fake: ExecuteFake): Promise<INodeExecutionData[]> =>
	await executePrepared('difyChatMessage', fake);

export async function executeNode(
	name: DifyNodeName,
	sim: Pick<DifySim, 'url'>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executePrepared(name, prepareNode(name, sim, setup));
}

/** The node's error. */
export async function getNodeError(work: Promise<unknown>): Promise<NodeOperationError> {
	const error = await getError<NodeOperationError>(work, Error);
	expect(error.constructor.name).toBe('NodeOperationError');
	return error;
}

/** Fields of a failed item. */
export function getItemError({ json }: INodeExecutionData): Record<string, unknown> | undefined {
	return json.error as Record<string, unknown> | undefined;
}

/** Items, each with its own question and user. */
export function createNumberedItems(
	count: number,
): Required<Pick<ExecuteSetup, 'items' | 'perItem'>> {
	const at = Array.from({ length: count }, (_, index) => index);
	return {
		items: at.map((index) => ({ json: { at: index } })),
		perItem: at.map((index) => ({ query: `q${index}`, user: `u${index}` })),
	};
}

export { textSteps as toSteps } from '../lib/dify/play-events';
export const byId = (
	value: unknown,
): {
	__rl: boolean;
	mode: string;
	value: unknown;
} => ({ __rl: true, mode: 'id', value });
/** Parameters of a message in an existing conversation. */
export const inConversation = (
	id: unknown,
): {
	conversation: string;
	conversationId: {
		__rl: boolean;
		mode: string;
		value: unknown;
	};
} => ({ conversation: 'byId', conversationId: byId(id) });

/** Sends messages over Dify Chat Message. */
export const sendMessages = async (
	sim: Pick<DifySim, 'url'>,
	setup?: Setup,
): Promise<INodeExecutionData[]> => await executeNode('difyChatMessage', sim, setup);
export const sendMessageJson = async (
	sim: Pick<DifySim, 'url'>,
	setup?: Setup,
): Promise<IDataObject> => (await sendMessages(sim, setup))[0]!.json;
export const sendMessageError = async (
	sim: Pick<DifySim, 'url'>,
	setup?: Setup,
): Promise<NodeOperationError> => await getNodeError(sendMessages(sim, setup));

/** Text in the chat so far. */
export function getStreamedText({ chunks }: ExecuteFake): string {
	return chunks.map(({ content }) => content ?? '').join('');
}

export function getProperties(node: INodeType): INodeProperties[] {
	return node.description.properties;
}

/** Items with a text file in base64. */
export const textFile = (
	data: string,
): {
	json: {};
	binary: {
		data: {
			data: string;
			mimeType: string;
			fileName: string;
		};
	};
}[] => [{ json: {}, binary: { data: { data, mimeType: 'text/plain', fileName: 'a.txt' } } }];
export const ALL_FILES: {
	files: {
		file: {
			source: string;
			type: string;
		}[];
	};
} = { files: { file: [{ source: 'all', type: 'auto' }] } };

const FILES: Pick<Setup, 'items' | 'stored'> = {
	items: [
		{
			json: {},
			binary: {
				inItem: binaryFile('png!', 'a.png', 'image/png'),
				inStore: {
					data: 'filesystem-v2',
					id: 'filesystem-v2:1',
					mimeType: 'application/pdf',
					fileName: 'b.pdf',
				},
			},
		},
	],
	stored: { 'filesystem-v2:1': new Uint8Array(4) },
};
/** Two binary files, in the item and in n8n's store, and one by its address. */
export const WITH_FILES: {
	parameters: {
		files: {
			file: (
				| {
						source: string;
						type: string;
						url?: undefined;
				  }
				| {
						source: string;
						url: string;
						type?: undefined;
				  }
			)[];
		};
	};
	items?: INodeExecutionData[] | undefined;
	stored?: Record<string, Uint8Array> | undefined;
} = {
	...FILES,
	parameters: {
		files: {
			file: [
				{ source: 'all', type: 'auto' },
				{ source: 'url', url: 'https://example.com/c.png' },
			],
		},
	},
};

/** Runs an operation of Dify Conversation. */
export async function executeConversation(
	sim: Pick<DifySim, 'url'>,
	resource: string,
	operation: string,
	parameters: Record<string, unknown> = {},
	mode: DifyAppMode = 'chat',
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executeNode('difyConversation', sim, {
		mode,
		...setup,
		parameters: { resource, operation, ...parameters },
	});
}

/** Runs Dify Feedback. */
export async function executeFeedback(
	sim: Pick<DifySim, 'url'>,
	parameters: Record<string, unknown>,
	setup: Setup = {},
): Promise<INodeExecutionData[]> {
	return await executeNode('difyFeedback', sim, { ...setup, parameters });
}

/** A simulator in which one message was answered. */
export async function startWithMessage(): Promise<{ sim: DifySim; messageId: string }> {
	const sim = await startSim({});
	const { result } = await sendMessage(createClient(sim));
	return { sim, messageId: result.messageId! };
}

/** The ratings that Dify has, with their texts. */
export const getRatings = (sim: DifySim): (string | null)[][] =>
	sim.app('chat').feedbacks.map(({ rating, content }) => [rating, content]);

/** The context of lists, where expressions about items have no value. */
export const createEditorContext = (
	{ url: baseUrl }: Pick<DifySim, 'url'>,
	parameters: Record<string, unknown>,
	mode: DifyAppMode = 'chat',
): ILoadOptionsFunctions =>
	editorContext({ baseUrl, apiKey: appKey(mode), keyType: 'app' }, parameters);
