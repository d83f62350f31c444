import type { CloseFunction } from 'n8n-workflow';

import type { LocalChatModel as Model } from '../../lib/langchain/local-chat-model';
import { LocalChatModel } from '../../nodes/LocalChatModel/LocalChatModel.node';
import { type LlamaServerSim, startLlamaServerSim } from '../servers/llama-server';
import { useSimulator } from '../servers/use-simulator';
import { fakeContext, type FakeContext } from './context';
import { createRequire, process } from './node';

export type { Model };

const KEY = 'secret-key-123';

interface Messages {
	HumanMessage: new (content: unknown) => unknown;
	AIMessage: new (fields: object) => unknown;
	ToolMessage: new (fields: object) => unknown;
}

/** Takes a module as n8n itself would find it. */
export const fromRoot = createRequire(`${process.cwd()}/package.json`);
export const { HumanMessage, AIMessage, ToolMessage } = fromRoot('@langchain/core/messages') as Messages;
const { tool } = fromRoot('@langchain/core/tools') as {
	tool(run: (input: unknown) => unknown, fields: object): unknown;
};
const { z } = fromRoot('zod') as {
	z: { object(shape: object): unknown; string(): { describe(text: string): unknown } };
};

/** For the top of a suite: a simulator for each test, and the model that n8n gets from the node for it. */
export function useChatModel() {
	const startServer = useSimulator(startLlamaServerSim);
	let sim: LlamaServerSim;
	beforeEach(async () => {
		sim = await startServer({ apiKey: KEY });
	});
	return {
		server: () => sim,
		/** The model as n8n gets it from the node. */
		async supplied(
			parameters: Record<string, unknown> = {},
			credentials: Record<string, string> = {},
		): Promise<FakeContext & { model: Model; close: CloseFunction | undefined }> {
			const fake = fakeContext(
				{ model: { __rl: true, mode: 'id', value: 'sim-model' }, ...parameters },
				{ baseUrl: sim.url, apiKey: KEY, authentication: 'bearer', ...credentials },
			);
			const { response, closeFunction } = await new LocalChatModel().supplyData.call(fake.context, 0);
			return { ...fake, model: response as Model, close: closeFunction };
		},
		/** Bodies of the chat requests so far. */
		chatRequests: () =>
			sim.requests
				.filter(({ path }) => path.endsWith('/chat/completions'))
				.map(({ body }) => body as Record<string, unknown> & { messages: Array<Record<string, unknown>> }),
	};
}

export async function collect(model: Model, input: unknown) {
	const chunks = [];
	for await (const chunk of await model.stream(input)) chunks.push(chunk);
	return chunks;
}

/** A tool of LangChain, and one in OpenAI's form. */
export const weather = tool(() => 'sunny', {
	name: 'get_weather',
	description: 'Weather of a city',
	schema: z.object({ city: z.string().describe('A city') }),
});
export const time = {
	type: 'function',
	function: {
		name: 'get_time',
		description: 'Time',
		parameters: { type: 'object', properties: { tz: { type: 'string' } } },
	},
};
