/** A real mlx_lm.server on the CPU, with the scripted model from a folder. */
import type { Connection } from '../../lib/http/connection';
import { listModels } from '../../lib/servers/model-list';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-with';
import {
	asking,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	failureOf,
	killedInMidAnswer,
	rerankOf,
	stoppedInMidAnswer,
	WEATHER_TOOL,
} from './support/clients';
import {
	connection,
	CONTEXT,
	parts,
	scriptedFolder,
	startPythonServer,
	stopServers,
} from './support/servers';

describeWith(parts().python.mlxLm.problem, 'mlx-lm', () => {
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	let model: string;
	beforeAll(async () => {
		model = await scriptedFolder();
		({ url, kill } = await startPythonServer('mlxLm', ['--model', model]));
		server = connection(url);
	});
	afterAll(stopServers);

	it('Server Health knows it, and its list; any key does', async () => {
		const result = await check(url, {}, { apiKey: 'sk-any' });
		expect(result).toMatchObject({ healthy: true, server: { kind: 'mlxLm' } });
		expect(ids(result)).toEqual([]);
		expect((await listModels(server)).map(({ id }) => id)).toEqual([model]);
	});

	it('a chat, with its tokens', async () => {
		const parameters = { temperature: 0, maxTokens: 20 };
		const { pieces, answer } = await chat(server, { model, parameters });
		expect(pieces.join('')).toBe('Hello. How are you?');
		expect(answer).toMatchObject({ finishReason: 'stop' });
		expect(answer.usage).toMatchObject({ completionTokens: expect.any(Number) as number });
	});

	it('a stop text inside a token is left out, and the answer goes on: nothing shows it', async () => {
		const { answer } = await chat(server, { model, parameters: { stop: ['How'] } });
		expect(answer.text).toMatch(/^Hello\. +are you\?$/);
	});

	it('a call that it hands on as text is shown and named; with Text Format it is run', async () => {
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		const shown = (await chat(server, { model }, call)).answer;
		expect(shown.toolCalls).toEqual([]);
		expect(shown.notes.join(' ')).toContain('It was not run');
		const { answer } = await chat(server, { model, textFormat: 'hermes' }, call);
		expect(answer.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
	});

	it('a grammar that it ignores is not sent, and a schema that it ignores is told', async () => {
		const grammar = { type: 'grammar' as const, grammar: 'root ::= "yes" | "no"' };
		const { answer } = await chat(server, { model, parameters: { responseFormat: grammar } });
		expect(answer.notes).toEqual([
			'This server (mlx-lm) ignores these options, so they were not sent: GBNF Grammar',
		]);
		const parameters = { responseFormat: CITY_SCHEMA };
		const { answer: free } = await chat(server, { model, parameters });
		expect(free.notes.join(' ')).toContain('Response Format');
	});

	it('embeddings and reranking: it has no such routes', async () => {
		const embedding = embeddingsOf(server, { model }).embed(['a'], 'query');
		expect(await failureOf(embedding)).toMatchObject({
			kind: 'notSupported',
			remedy: expect.stringContaining('mlx_lm.server has no embeddings') as string,
		});
		const ranking = rerankOf(server, { model }).rerank('a', ['b']);
		expect(await failureOf(ranking)).toMatchObject({ kind: 'notSupported' });
	});

	it('an unknown model, which it answers with an error of Hugging Face', async () => {
		expect(await failureOf(chat(server, { model: 'nope', retries: 3 }))).toMatchObject({
			kind: 'modelNotFound',
			status: 404,
			remedy: expect.stringContaining('mlx_lm.server with --model') as string,
		});
	});

	it('it reads more than the model can, and answers', async () => {
		const long = asking('w'.repeat(CONTEXT));
		const { answer } = await chat(server, { model, parameters: { maxTokens: 5 } }, long);
		expect(answer.usage!.promptTokens).toBeGreaterThan(CONTEXT);
	});

	it('Stop ends it at once', async () => {
		expect(await stoppedInMidAnswer(server, { model })).toMatchObject({ kind: 'aborted' });
	});

	it('without a cache of Hugging Face its list is empty, which is a warning only', async () => {
		const args = ['--model', model];
		const { url: listless } = await startPythonServer('mlxLm', args, { HF_HOME: '/nowhere' });
		const result = await check(listless, {}, { apiKey: '' });
		expect(result).toMatchObject({ healthy: true });
		expect(ids(result)).toEqual(['noModels']);
		const { answer } = await chat(connection(listless), { model });
		expect(answer.text).toContain('Hello');
	});

	it('killed in the middle of an answer', async () => {
		expect(await killedInMidAnswer(server, { model, kill })).toMatchObject({
			// It ends an answer by closing the connection (HTTP 1.0).
			kind: 'streamEndedEarly',
		});
		expect(await failureOf(chat(server, { model }))).toMatchObject({ kind: 'refused' });
	});
});
