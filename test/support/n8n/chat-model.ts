import type { CloseFunction } from 'n8n-workflow';

import type { HostMessageChunk } from '../../../lib/langchain/host-classes';
import type { JsonRecord } from '../../../lib/values/records';
import { LocalChatModel } from '../../../nodes/LocalChatModel/LocalChatModel.node';
import { startLlamaServerSim } from '../../simulators/llama-server';
import type { LlamaServerSim, SimOptions } from '../../simulators/llama-server';
import { useSimulator } from '../../simulators/use-simulator';
import { fakeContext } from './context';
import type { FakeContext } from './context';
import { createRequire } from 'node:module';
import process from 'node:process';

/** The supplied chat model. */
export interface Model {
	invoke(input: unknown, options?: object): Promise<HostMessageChunk>;
	stream(input: unknown, options?: object): Promise<AsyncIterable<HostMessageChunk>>;
	bindTools(tools: unknown[], kwargs?: JsonRecord): Model;
	withStructuredOutput(
		schema: unknown,
		config?: object,
	): { invoke(input: unknown): Promise<unknown> };
	getNumTokens(content: unknown): Promise<number>;
	callbacks: unknown[];
	metadata?: JsonRecord;
	toJSON(): { type: string; kwargs: JsonRecord };
}

const KEY = 'secret-key-123';

interface Messages {
	HumanMessage: new (content: unknown) => unknown;
	AIMessage: new (fields: object) => unknown;
	ToolMessage: new (fields: object) => unknown;
}

/** Resolves modules from the clone's root, as n8n does. */
export const fromRoot = createRequire(`${process.cwd()}/package.json`);
export const { HumanMessage, AIMessage, ToolMessage } = fromRoot(
	'@langchain/core/messages',
) as Messages;
const { tool } = fromRoot('@langchain/core/tools') as {
	tool(run: (input: unknown) => unknown, fields: object): unknown;
};
const { z } = fromRoot('zod') as {
	z: { object(shape: object): unknown; string(): { describe(text: string): unknown } };
};

/** Call at the top of a suite: a simulator for each test, and the model that the node supplies for it. */
export function useChatModel(options: SimOptions = {}) {
	const startServer = useSimulator(startLlamaServerSim);
	let sim: LlamaServerSim;
	beforeEach(async () => {
		sim = await startServer({ apiKey: KEY, ...options });
	});
	return {
		server: () => sim,
		/** The model that the node supplies to n8n. */
		async supplied(
			parameters: Record<string, unknown> = {},
			credentials: Record<string, string> = {},
		): Promise<FakeContext & { model: Model; close: CloseFunction | undefined }> {
			const fake = fakeContext(
				{ model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters },
				{ baseUrl: sim.url, apiKey: KEY, authentication: 'bearer', ...credentials },
			);
			const { response, closeFunction } = await new LocalChatModel().supplyData.call(
				fake.context,
				0,
			);
			return { ...fake, model: response as Model, close: closeFunction };
		},
		/** Bodies of the chat requests so far. */
		chatRequests: () =>
			sim.requests
				.filter(({ path }) => path.endsWith('/chat/completions'))
				.map(
					({ body }) =>
						body as Record<string, unknown> & { messages: Array<Record<string, unknown>> },
				),
	};
}

export async function collect(model: Model, input: unknown) {
	const chunks = [];
	for await (const chunk of await model.stream(input)) chunks.push(chunk);
	return chunks;
}

/** A tool in OpenAI's format. */
export const openAiTool = (name: string, properties: object = {}, more: object = {}) => ({
	type: 'function',
	function: { name, description: name, parameters: { type: 'object', properties, ...more } },
});

export const weather = tool(() => 'sunny', {
	name: 'get_weather',
	description: 'Weather of a city',
	schema: z.object({ city: z.string().describe('A city') }),
});
export const time = openAiTool('get_time', { tz: { type: 'string' } });
