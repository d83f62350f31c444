import { ChatClient } from '../../../../lib/chat/client';
import { clearSharedCaches } from '../../../../lib/lru-cache';
import { connectTo } from '../../../../lib/servers/connect';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';
import { reply, startLlamaServerSim, type PlainReply } from '../../../servers/llama-server';
import { useSimulator } from '../../../servers/use-simulator';
import { answer, list, testKind } from './kind-suite';

const start = useSimulator(startLlamaServerSim);

const UVICORN = { server: 'uvicorn' };
const entry = (more: object = {}) => ({
	id: 'scripted.gguf',
	object: 'model',
	created: 0,
	owned_by: 'user',
	...more,
});

describe('text-generation-webui', () => {
	testKind('webui', {
		told: [['its list', { models: answer(list(entry()), 200, UVICORN) }]],
		notTold: [
			['an empty list', { models: answer(list(), 200, UVICORN) }, 'other'],
			['a list with times', { models: answer(list(entry({ created: 1 })), 200, UVICORN) }, 'other'],
			['a list of another program', { models: list(entry()) }, 'other'],
		],
		chat: {
			fields: {
				temperature: 0.7,
				top_k: 20,
				min_p: 0.1,
				repetition_penalty: 1.1,
				enable_thinking: false,
				grammar_string: 'root ::= "a"',
				tool_choice: 'required',
			},
			tools: ['get_time'],
			thinkingIn: ['reasoning_content', 'reasoning'],
			budget: undefined,
			notes: [
				'This server (text-generation-webui) ignores these options, so they were not sent: Parallel Tool Calls, Cache Prompt, Chat Template Arguments',
			],
		},
		advice: {
			noModels: 'tab Model',
			missingModel: '--model',
			embeddingsOff: 'another server',
			moreContext: '9000 tokens',
			toolParser: 'format it knows',
		},
	});

	const models: PlainReply = {
		kind: 'plain',
		dressed: false,
		reply: {
			status: 200,
			headers: [
				['content-type', 'application/json'],
				['server', 'uvicorn'],
				['content-length', '*'],
			],
			body: Buffer.from(JSON.stringify({ object: 'list', data: [entry()] })),
		},
	};

	/** What is noted on the answer to a text of so many characters, of which the server says that it read so many tokens. */
	async function notesOn(characters: number, prompt: number): Promise<string> {
		clearSharedCaches();
		const sim = await start({ profile: 'fastapi', nCtx: 100_000 });
		sim.route('GET /v1/models', models);
		sim.script(reply.text('Fine.', { usage: { prompt }, usageIn: 'separate' }));
		const client = new ChatClient(connectTo({ baseUrl: sim.url }), PLAIN_SETTINGS);
		const pieces = client.generate({
			messages: [{ type: 'human', content: 'word '.repeat(characters / 5) }],
		});
		for (;;) {
			const next = await pieces.next();
			if (next.done === true) return next.value.notes.join();
		}
	}

	it('is asked who it is, and told to have cut a prompt, where it read too few tokens', async () => {
		expect(await notesOn(60_000, 8_172)).toContain(
			'text-generation-webui read only 8172 tokens of this conversation of 60000 characters',
		);
		expect(await notesOn(30_000, 8_172)).toBe('');
		expect(await notesOn(5_000, 10)).toBe('');
	});
});
