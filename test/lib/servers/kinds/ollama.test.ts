import { ChatClient } from '../../../../lib/chat/client';
import type { SourceMessage } from '../../../../lib/chat/types';
import type { ChatSettings } from '../../../../lib/chat/request/request';
import { connectTo } from '../../../../lib/servers/connect';
import type { KindName } from '../../../../lib/servers/kinds';
import {
	type LlamaServerSim,
	reply,
	type SimOptions,
	startLlamaServerSim,
} from '../../../servers/llama-server';
import { PLAIN_SETTINGS } from '../../chat/chat-settings';
import { useSimulator } from '../../../servers/use-simulator';
import { workaroundsFor, list, testKind } from './kind-suite';

const startServer = useSimulator(startLlamaServerSim);

let sim: LlamaServerSim;

async function start(options: SimOptions = {}): Promise<void> {
	sim = await startServer({
		profile: 'ollama',
		models: [{ id: 'qwen3:latest', tools: true }],
		...options,
	});
}

async function run(
	messages: SourceMessage[],
	{ chosenKind, ...settings }: Partial<ChatSettings> & { chosenKind?: KindName } = {},
) {
	const client = new ChatClient(connectTo({ baseUrl: sim.url, chosenKind }), {
		...PLAIN_SETTINGS,
		model: 'qwen3',
		...settings,
	});
	const answer = client.generate({ messages });
	let next = await answer.next();
	while (!next.done) next = await answer.next();
	return next.value;
}

const asked = () => sim.requests.map(({ path }) => path);
const CHAT = '/v1/chat/completions';

describe('Ollama', () => {
	const OLLAMA = 'ollama-v0.17.4';

	testKind('ollama', {
		told: [
			['Ollama', { models: `${OLLAMA}/models` }],
			[
				'Ollama, asked with /api/version',
				{ models: `${OLLAMA}/models`, apiVersion: `${OLLAMA}/version` },
			],
			[
				'Ollama without models',
				{ models: { object: 'list', data: null }, apiVersion: `${OLLAMA}/version` },
			],
			['Ollama without /v1', { models: `${OLLAMA}/not-found`, apiVersion: `${OLLAMA}/version` }],
		],
		notTold: [
			[
				'a page in place of the list, though /api/version answers (Open WebUI)',
				{
					models: {
						status: 200,
						headers: { 'content-type': 'text/html' },
						text: '<!doctype html><html>',
						json: undefined,
					},
					apiVersion: { version: '0.6.5' },
				},
				'other',
			],
			[
				'a list with a model that belongs to somebody else',
				{
					models: list(
						{ id: 'llama3:8b', owned_by: 'library' },
						{ id: 'phi-4', owned_by: 'Foundry' },
					),
					apiVersion: `${OLLAMA}/version`,
				},
				'other',
			],
		],
		version: [{ apiVersion: `${OLLAMA}/version` }, '0.0.0'],
		chat: {
			fields: {
				temperature: 0.7,
				max_tokens: -1,
				reasoning_effort: 'none',
				tool_choice: 'required',
			},
			tools: ['get_time'],
			thinkingIn: ['reasoning'],
			budget: undefined,
			notes: [
				expect.stringMatching(
					/^This server \(Ollama\) ignores these options, so they were not sent: .*Parallel Tool Calls.*GBNF Grammar.*Tool Choice/,
				),
			],
		},
		simulated: { profile: 'ollama' },
		advice: {
			noModels: 'ollama pull qwen3:8b',
			missingModel: 'ollama pull qwen3',
			embeddingsOff: 'ollama pull nomic-embed-text',
			rerankOff: 'no rerank route',
			moreContext: 'OLLAMA_CONTEXT_LENGTH=9000',
			toolParser: '{{ .Tools }}',
		},
	});

	it('whose model does not think is asked again without the thinking setting', () => {
		expect(workaroundsFor(`${OLLAMA}/error-thinking`)).toEqual(['withoutThinkingSetting']);
		expect(workaroundsFor(`${OLLAMA}/error-tools`)).toEqual([]);
	});
});

describe('pictures', () => {
	const LOOK: SourceMessage[] = [
		{
			type: 'human',
			content: [
				{ type: 'text', text: 'What is it?' },
				{ type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } },
			],
		},
	];

	it('are refused before anything is sent where the model cannot see: Ollama would let it make something up', async () => {
		await start();
		await expect(run(LOOK)).rejects.toMatchObject({
			kind: 'modalityUnsupported',
			message: expect.stringContaining('The model "qwen3" cannot see pictures') as string,
			remedy: expect.stringContaining('qwen2.5vl') as string,
			facts: { capabilities: ['completion', 'tools'] },
		});
		expect(asked()).not.toContain(CHAT);
	});

	it('go to a model that can see', async () => {
		await start({ models: [{ id: 'qwen3:latest', vision: true }] });
		expect((await run(LOOK)).text).not.toBe('');
		expect(asked().filter((path) => path === CHAT || path === '/api/show')).toEqual([
			'/api/show',
			CHAT,
		]);
	});

	it.each([
		['does not tell', () => reply.json({ details: {} })],
		['does not know the route', () => reply.error(404, { error: 'nope' })],
		['answers with no JSON', () => reply.html(200, '<html></html>')],
	])('go to a server that %s what its models can', async (_name, answer) => {
		await start();
		sim.route('POST /api/show', answer);
		expect((await run(LOOK)).text).not.toBe('');
	});

	it('of an earlier turn count too; texts ask for nothing', async () => {
		await start();
		await expect(
			run([...LOOK, { type: 'ai', content: 'A llama.' }, { type: 'human', content: 'Sure?' }]),
		).rejects.toMatchObject({ kind: 'modalityUnsupported' });
		await run([{ type: 'human', content: 'Hi' }], { chosenKind: 'ollama' });
		expect(asked().filter((path) => path === '/api/show')).toHaveLength(1);
	});
});

describe('a conversation that is too long for the context', () => {
	const TURN = 'Tell me about llamas in the Andes. ';
	const long = (characters: number): SourceMessage[] => [
		{ type: 'human', content: TURN.repeat(Math.ceil(characters / TURN.length)) },
	];

	it('is remarked on: Ollama drops its beginning without an error', async () => {
		await start({ nCtx: 4096 });
		sim.script(reply.text('Hello', { usage: { prompt: 3375 } }));
		const { notes } = await run(long(54_000));
		expect(notes).toEqual([
			expect.stringMatching(
				/^The conversation of 540\d\d characters is too long for the context of 4096 tokens that Ollama runs this model with\. It read 3375 tokens and left out/,
			) as string,
		]);
		expect(notes[0]).toContain('OLLAMA_CONTEXT_LENGTH');
	});

	it('is remarked on where the prompt fills the context to the last token', async () => {
		await start({ nCtx: 2048 });
		sim.script(reply.text('Hello', { usage: { prompt: 2048 } }));
		expect((await run(long(8_000))).notes).toHaveLength(1);
	});

	it.each([
		['fits', 4096, 12_000, 2700],
		['is short', 64, 5_000, 64],
	])('is not one where it %s', async (_name, nCtx, characters, prompt) => {
		await start({ nCtx });
		sim.script(reply.text('Hello', { usage: { prompt } }));
		expect((await run(long(characters))).notes).toEqual([]);
	});

	it('is left alone where Ollama does not tell its context, and behind a gateway that has no such route', async () => {
		await start({ nCtx: 4096 });
		const answer = reply.text('Hello', { usage: { prompt: 3375 } });
		sim.script(answer, answer);
		sim.route('GET /api/ps', () => reply.json({ models: [{ name: 'qwen3:latest' }] }));
		expect((await run(long(54_000))).notes).toEqual([]);
		sim.route('GET /api/ps', () => reply.error(404, { detail: 'Not Found' }));
		expect((await run(long(54_000))).notes).toEqual([]);
	});

	it('asks nobody but Ollama', async () => {
		await start({ profile: 'vllm', models: [{ id: 'qwen3' }], nCtx: 100_000 });
		await run(long(54_000));
		expect(asked()).toEqual([CHAT]);
	});
});

it('a stream that Ollama ends without a word sends the user to its log', async () => {
	await start();
	sim.script(reply.text('Hello, I', { error: { message: 'the runner died' } }));
	await expect(run([{ type: 'human', content: 'Hi' }])).rejects.toMatchObject({
		kind: 'streamEndedEarly',
		partialText: 'Hello, I',
		remedy: expect.stringContaining('journalctl -u ollama') as string,
	});
});
