/** A real server of llama-cpp-python with its defaults, and one with the settings that this package recommends. */
import type { Connection } from '../../lib/http/connection';
import { listModels } from '../../lib/servers/model-list';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-with';
import {
	asking,
	CAT,
	chat,
	CITY_SCHEMA,
	embeddingsOf,
	failureOf,
	killedInMidAnswer,
	KITTEN,
	nearness,
	rerankOf,
	REVENUE,
	WEATHER_TOOL,
} from './support/clients';
import {
	connection,
	CONTEXT,
	parts,
	scriptedFile,
	startPythonServer,
	stopServers,
} from './support/servers';

const { miniLm, miniLmProblem, python } = parts();
const KEY = 'sk-test';

describeWith(python.llamaCppPython.problem ?? miniLmProblem, 'llama-cpp-python', () => {
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	let model: string;
	const start = async (file: string, ...args: string[]) =>
		await startPythonServer('llamaCppPython', ['--model', file, '--n_threads', '1', ...args]);
	beforeAll(async () => {
		model = await scriptedFile();
		const args = ['--model_alias', 'scripted', '--n_ctx', String(CONTEXT), '--api_key', KEY];
		({ url, kill } = await start(model, ...args));
		server = connection(url, KEY);
	});
	afterAll(stopServers);

	it('Server Health knows it, and its list', async () => {
		const result = await check(url, {}, { apiKey: KEY });
		expect(result).toMatchObject({ healthy: true, server: { kind: 'llamaCppPython' } });
		expect(ids(result)).toEqual([]);
		expect((await listModels(server)).map(({ id }) => id)).toEqual(['scripted']);
	});

	it('a wrong key', async () => {
		expect(ids(await check(url, {}, { apiKey: 'sk-wrong' }))).toEqual(['unauthorized']);
		expect(await failureOf(chat(connection(url, 'sk-wrong'), { model: 'scripted' }))).toMatchObject(
			{
				kind: 'unauthorized',
			},
		);
	});

	it('a chat; any name of a model is its one model', async () => {
		const { pieces, answer } = await chat(server, { model: 'nope' });
		expect(pieces.length).toBeGreaterThan(1);
		expect(answer).toMatchObject({ text: 'Hello. How are you?', finishReason: 'stop' });
	});

	it('a call that it hands on as text is shown; with Text Format it is run', async () => {
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		const shown = (await chat(server, { model: 'scripted' }, call)).answer;
		expect(shown.toolCalls).toEqual([]);
		expect(shown.notes.join(' ')).toContain('--chat_format chatml-function-calling');
		const { answer } = await chat(server, { model: 'scripted', textFormat: 'hermes' }, call);
		expect(answer.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
	});

	it('an answer by a schema, in the form that it takes', async () => {
		const parameters = { maxTokens: 60, responseFormat: CITY_SCHEMA };
		const { answer } = await chat(server, { model: 'scripted', parameters }, asking('Hello.'));
		expect(Object.keys(JSON.parse(answer.text) as object)).toEqual(['city']);
	});

	it('a message that does not fit, for which it sends an empty stream', async () => {
		expect(
			await failureOf(chat(server, { model: 'scripted' }, asking('w'.repeat(2 * CONTEXT)))),
		).toMatchObject({
			kind: 'contextOverflow',
			remedy: expect.stringContaining('--n_ctx') as string,
		});
	});

	it('embeddings without --embedding, and reranking', async () => {
		expect(
			await failureOf(embeddingsOf(server, { model: 'scripted' }).embed(['a'], 'query')),
		).toMatchObject({
			kind: 'wrongModelType',
		});
		expect(
			await failureOf(rerankOf(server, { model: 'scripted' }).rerank('a', ['b'])),
		).toMatchObject({
			kind: 'notSupported',
		});
	});

	it('an answer that another request cuts is no success, with what to set', async () => {
		const look = async () =>
			void fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
		expect(await killedInMidAnswer(server, { model: 'scripted', kill: look })).toMatchObject({
			remedy: expect.stringContaining('--interrupt_requests false') as string,
		});
	});

	it('killed in the middle of an answer', async () => {
		expect(await killedInMidAnswer(server, { model: 'scripted', kill })).toMatchObject({
			kind: 'connectionLost',
		});
	});

	it('vectors, where it is started for them', async () => {
		const { url: other } = await start(miniLm!.embedding, '--embedding', 'true', '--n_ctx', '512');
		const client = embeddingsOf(connection(other), { model: 'minilm' });
		const [cat, kitten, revenue] = (await client.embed([CAT, KITTEN, REVENUE], 'document'))
			.vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeGreaterThan(nearness(cat, revenue) + 0.3);
	});
});
