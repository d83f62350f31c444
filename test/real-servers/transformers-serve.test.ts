/** A real `transformers serve` of Hugging Face, with the scripted model from a folder. */
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

describeWith(parts().python.transformers.problem, 'transformers serve', () => {
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	let model: string;
	beforeAll(async () => {
		model = await scriptedFolder();
		({ url, kill } = await startPythonServer('transformers', [model]));
		server = connection(url);
	});
	afterAll(stopServers);

	it('Server Health knows it; its list is empty although it serves a model, and the advice is its own', async () => {
		const result = await check(url);
		expect(result).toMatchObject({ healthy: true, server: { kind: 'transformersServe' } });
		expect(ids(result)).toEqual(['noModels']);
		expect(await failureOf(listModels(server))).toMatchObject({
			kind: 'modelNotFound',
			remedy: expect.stringContaining(
				'transformers serve lists only what is in its cache',
			) as string,
		});
	});

	it('a chat; what it refuses is not sent, and any key does', async () => {
		const { pieces, answer } = await chat(connection(url, 'sk-any'), {
			model,
			parameters: { temperature: 0, topK: 4, maxTokens: 20 },
		});
		expect(pieces.join('')).toBe('Hello. How are you?');
		expect(answer).toMatchObject({ finishReason: 'stop', usage: { completionTokens: 6 } });
		expect(answer.notes.join(' ')).toContain('Top K');
	});

	it('a call that it hands on as text is shown and named; with Text Format it is run', async () => {
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		const shown = (await chat(server, { model }, call)).answer;
		expect(shown.toolCalls).toEqual([]);
		expect(shown.text).toContain('"name": "get_weather"');
		expect(shown.notes.join(' ')).toContain('It was not run');
		const { answer } = await chat(server, { model, textFormat: 'hermes' }, call);
		expect(answer.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
	});

	it('a schema that it ignores is told', async () => {
		const parameters = { responseFormat: CITY_SCHEMA };
		const kept = (await chat(server, { model, parameters }, asking('Name a city as JSON.'))).answer;
		expect(JSON.parse(kept.text)).toEqual({ city: 'Paris' });
		expect(kept.notes).toEqual([]);
		const { answer } = await chat(server, { model, parameters }, asking('Hello.'));
		expect(answer.notes.join(' ')).toContain('Response Format');
	});

	it('embeddings and reranking: it has no such routes', async () => {
		expect(await failureOf(embeddingsOf(server, { model }).embed(['a'], 'query'))).toMatchObject({
			kind: 'notSupported',
			message: 'The server has no route for embeddings',
		});
		expect(await failureOf(rerankOf(server, { model }).rerank('a', ['b']))).toMatchObject({
			kind: 'notSupported',
		});
	});

	it('an unknown model is told in its own terms', async () => {
		expect(await failureOf(chat(server, { model: 'nope' }))).toMatchObject({
			kind: 'modelNotFound',
			remedy: expect.stringContaining('start transformers serve with it') as string,
		});
	});

	it('it reads more than the model can, and answers', async () => {
		const { answer } = await chat(
			server,
			{ model, parameters: { maxTokens: 5 } },
			asking('w'.repeat(CONTEXT)),
		);
		expect(answer.usage!.promptTokens).toBeGreaterThan(CONTEXT);
	});

	it('killed in the middle of an answer', async () => {
		expect(await killedInMidAnswer(server, { model, kill })).toMatchObject({
			kind: 'connectionLost',
		});
		expect(await failureOf(chat(server, { model }))).toMatchObject({ kind: 'refused' });
	});
});
