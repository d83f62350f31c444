/** Every operation of every node, filled in as in the editor, and the uses of sub-nodes and triggers. */
import type { ICredentialDataDecryptedObject, INodeType } from 'n8n-workflow';

import { chatModel, embeddings, reranker, streamOf } from '../guarantees/support/node-runner';
import { WEATHER } from '../guarantees/support/agent-turns';
import { supplyRetriever } from '../recordings/support/dify-node-runner';
import { everyOperation, withLowLimits } from '../support/every-operation';
import { executeContext } from '../support/execute-context';
import * as fs from 'node:fs';
import path from 'node:path';
import { polling } from '../support/poll-context';

export interface Operation {
	/** Node, resource and operation. */
	name: string;
	node: string;
	service: 'model' | 'dify';
	/** @returns everything that n8n gets; rejects with the error of the node */
	run(credential: ICredentialDataDecryptedObject, continueOnFail: boolean): Promise<unknown>;
}

const ID = '3f1c9e52-7a40-4b0c-9d1e-5b2f8a6c7d90';
const OPTIONS = { firstTokenTimeout: 30, idleTimeout: 30, totalTimeout: 60, maxRetries: 0 };

const ITEM = {
	json: {},
	binary: { data: { data: 'aGVsbG8=', mimeType: 'text/plain', fileName: 'hello.txt' } },
};

const { n8n: manifest } = JSON.parse(fs.readFileSync('package.json', 'utf8')) as {
	n8n: { nodes: string[] };
};

/** The names of all nodes of the package. */
export const NODES = manifest.nodes.map((file) => path.basename(file, '.node.js'));

async function createNode(name: string): Promise<INodeType> {
	const module = (await import(`../../nodes/${name}/${name}.node`)) as Record<
		string,
		new () => INodeType
	>;
	return new module[name]!();
}

async function actionsOf(name: string): Promise<Operation[]> {
	const node = await createNode(name);
	if (node.execute === undefined) return [];
	return everyOperation(node.description)
		.map(withLowLimits)
		.map((filled) => ({
			name: filled.name,
			node: name,
			service: filled.credentials.includes('difyApi') ? 'dify' : 'model',
			run: async (credentials, continueOnFail) => {
				const { context, chunks, hints, metadata } = executeContext({
					items: [ITEM],
					parameters: filled.parameters,
					credentials,
					continueOnFail,
					streaming: true,
					type: filled.type,
				});
				const items = await node.execute!.call(context);
				return { items, chunks, hints, metadata };
			},
		}));
}

/** A sub-node: gets the URL, and what else the credential has. */
const supplied = (
	node: string,
	use: string,
	run: (url: string, credentials: ICredentialDataDecryptedObject) => Promise<unknown>,
): Operation => ({
	name: `${node} ${use}`,
	node,
	service: 'model',
	run: async (credentials) => await run(String(credentials.baseUrl), credentials),
});

async function poll(
	name: string,
	parameters: Parameters<typeof polling>[1]['parameters'],
	credentials: ICredentialDataDecryptedObject,
): Promise<unknown> {
	const watched = polling(await createNode(name), { parameters, credentials: () => credentials });
	const items = await watched.poll();
	return { items, stored: watched.stored() };
}

const parameters = { options: OPTIONS };
/** These have no further timeouts. */
const taskParameters = { options: { firstTokenTimeout: 30, maxRetries: 0 } };

const OTHERS: readonly Operation[] = [
	supplied('LocalChatModel', 'streamed', async (url, credentials) => {
		const { supplied: model } = await chatModel(url, { credentials, parameters });
		return await streamOf(model.bindTools([WEATHER]), 'Tell me about llamas.');
	}),
	supplied('LocalChatModel', 'invoked', async (url, credentials) => {
		const { supplied: model } = await chatModel(url, { credentials, parameters });
		return await model.invoke('Tell me about llamas.');
	}),
	supplied('LocalEmbeddings', 'query', async (url, credentials) => {
		const { supplied: model } = await embeddings(url, { credentials, parameters: taskParameters });
		return await model.embedQuery('llama');
	}),
	supplied('LocalReranker', 'documents', async (url, credentials) => {
		const { supplied: model } = await reranker(url, { credentials, parameters: taskParameters });
		return await model.compressDocuments([{ pageContent: 'a llama', metadata: {} }], 'llama');
	}),
	{
		name: 'DifyRetriever query',
		node: 'DifyRetriever',
		service: 'dify',
		run: async ({ baseUrl, apiKey }) => {
			const access = { baseUrl: String(baseUrl), apiKey: String(apiKey) };
			const { retriever } = await supplyRetriever(access, { difyDatasetIds: [ID], topK: 5 });
			return await retriever.invoke('llama');
		},
	},
	{
		name: 'DifyTrigger poll',
		node: 'DifyTrigger',
		service: 'dify',
		run: async (credentials) => await poll('DifyTrigger', { event: 'feedback' }, credentials),
	},
	{
		name: 'ServerHealthTrigger poll',
		node: 'ServerHealthTrigger',
		service: 'model',
		run: async (credentials) =>
			await poll(
				'ServerHealthTrigger',
				{ options: { confirmations: 1, timeout: 30 } },
				credentials,
			),
	},
];

export async function listOperations(): Promise<Operation[]> {
	return [...(await Promise.all(NODES.map(actionsOf))).flat(), ...OTHERS];
}
