/** A real Xinference without keys, with custom models that are registered and launched. It takes minutes to start. */
import type { Connection } from '../../lib/http/connection';
import { listModels } from '../../lib/servers/model-list';
import { listModelsFor } from '../../lib/servers/purpose';
import { check, ids } from '../lib/health/support';
import { describeWith } from '../support/describe-with';
import { fs, path } from '../support/node';
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
	scriptedFolder,
	startPythonServer,
	stopServers,
} from './support/servers';

const { miniLmFolders, miniLmFoldersProblem, python } = parts();
const PATIENCE_MS = 900_000;
const MOST_TOKENS = 256;

/** Registers a model from a folder, and launches it. */
async function launch(
	url: string,
	type: string,
	folder: string,
	engine: string,
	about: object,
	spec: object = {},
) {
	const name = (about as { model_name: string }).model_name;
	const file = {
		model_format: 'pytorch',
		model_hub: 'huggingface',
		model_uri: `file://${folder}`,
		quantization: 'none',
	};
	const specs = [{ ...file, model_id: null, model_revision: null, ...spec }];
	const model = JSON.stringify({ version: 2, language: ['en'], model_specs: specs, ...about });
	const kind = {
		model_type: type,
		model_engine: engine,
		model_format: 'pytorch',
		quantization: 'none',
		...spec,
	};
	for (const [route, body] of [
		[`/v1/model_registrations/${type}`, { model, persist: false }],
		[
			'/v1/models',
			{ model_uid: name, model_name: name, ...kind, n_gpu: null, enable_virtual_env: false },
		],
	] as const) {
		const headers = { 'content-type': 'application/json' };
		const answer = await fetch(url + route, {
			method: 'POST',
			headers,
			body: JSON.stringify(body),
		});
		if (!answer.ok) throw new Error(`${route}: ${answer.status} ${await answer.text()}`);
	}
}

describeWith(python.xinference.problem ?? miniLmFoldersProblem, 'Xinference', () => {
	const model = 'scripted';
	let url: string;
	let kill: () => Promise<void>;
	let server: Connection;
	beforeAll(async () => {
		({ url, kill } = await startPythonServer('xinference', []));
		const folder = await scriptedFolder();
		const tokenizer = fs.readFileSync(path.join(folder, 'tokenizer_config.json'), 'utf8');
		const { chat_template: template } = JSON.parse(tokenizer) as { chat_template: string };
		const about = {
			model_name: model,
			context_length: CONTEXT,
			model_lang: ['en'],
			model_description: 'scripted',
		};
		const talks = {
			model_ability: ['chat', 'tools'],
			model_family: 'Qwen3-Instruct',
			chat_template: template,
		};
		const stops = { stop_token_ids: [], stop: ['<|im_end|>'] };
		const size = { model_size_in_billions: 1 };
		await launch(url, 'LLM', folder, 'transformers', { ...about, ...talks, ...stops }, size);
		const { embedding, reranker } = miniLmFolders!;
		const read = { max_tokens: MOST_TOKENS };
		const vectors = { model_name: 'minilm', dimensions: 384, ...read };
		await launch(url, 'embedding', embedding, 'sentence_transformers', vectors);
		const scores = { model_name: 'rank', type: 'normal', ...read };
		await launch(url, 'rerank', reranker, 'sentence_transformers', scores);
		server = connection(url);
	}, PATIENCE_MS);
	afterAll(stopServers);

	it('Server Health knows it, and its lists', async () => {
		const result = await check(url);
		expect(result).toMatchObject({ healthy: true, server: { kind: 'xinference' } });
		// It accepts any key, since it runs without accounts.
		expect(ids(result)).toEqual(['keyNotChecked']);
		expect((await listModels(server)).map(({ id, context }) => [id, context])).toEqual([
			[model, CONTEXT],
			['minilm', MOST_TOKENS],
			['rank', undefined],
		]);
		expect((await listModelsFor(server, 'embeddings')).map(({ id }) => id)).toEqual(['minilm']);
		expect((await listModelsFor(server, 'reranking')).map(({ id }) => id)).toEqual(['rank']);
	});

	it('a chat, and a call that it hands on as text: it is run with Text Format', async () => {
		const { pieces, answer } = await chat(server, { model });
		expect(pieces.join('')).toBe('Hello. How are you?');
		expect(answer).toMatchObject({ finishReason: 'stop', usage: { completionTokens: 6 } });
		const call = { ...asking('How is the weather?'), tools: [WEATHER_TOOL] };
		const shown = (await chat(server, { model }, call)).answer;
		expect(shown.toolCalls).toEqual([]);
		expect(shown.notes.join(' ')).toContain('It was not run');
		const run = (await chat(server, { model, textFormat: 'hermes' }, call)).answer;
		expect(run.toolCalls).toMatchObject([{ name: 'get_weather', arguments: '{"city":"Rome"}' }]);
	});

	it('a schema that it ignores is told', async () => {
		const { answer } = await chat(
			server,
			{ model, parameters: { responseFormat: CITY_SCHEMA } },
			asking('Hello.'),
		);
		expect(answer.notes.join(' ')).toContain('Response Format');
	});

	it('vectors, and a hint where it cut a text without a word', async () => {
		const client = embeddingsOf(server, { model: 'minilm' });
		const { vectors, remarks } = await client.embed([CAT, KITTEN, REVENUE], 'query');
		const [cat, kitten, revenue] = vectors as [number[], number[], number[]];
		expect(nearness(cat, kitten)).toBeCloseTo(0.56, 2);
		expect(nearness(cat, revenue)).toBeCloseTo(-0.02, 2);
		expect(remarks).toEqual([]);
		const long = await client.embed(['word '.repeat(600)], 'document');
		expect(long.remarks).toEqual([expect.stringContaining(`${MOST_TOKENS} tokens`) as string]);
	});

	it('reranking, best first', async () => {
		const { ranking } = await rerankOf(server, { model: 'rank' }).rerank('cat', [
			CAT,
			KITTEN,
			REVENUE,
		]);
		const scores = ranking.map(({ score }) => score!);
		expect([...scores].sort((one, other) => other - one)).toEqual(scores);
	});

	it('a model that is for something else, and one that is not there', async () => {
		const wrong = { kind: 'wrongModelType' };
		for (const other of [model, 'rank'])
			expect(
				await failureOf(embeddingsOf(server, { model: other }).embed([CAT], 'query')),
			).toMatchObject(wrong);
		expect(
			await failureOf(rerankOf(server, { model: 'minilm' }).rerank('cat', [CAT])),
		).toMatchObject(wrong);
		expect(await failureOf(chat(server, { model: 'nope' }))).toMatchObject({
			kind: 'modelNotFound',
			remedy: expect.stringContaining('scripted') as string,
		});
	});

	it('a message that does not fit is cut without a word', async () => {
		const call = asking('w'.repeat(2 * CONTEXT));
		const { answer } = await chat(server, { model, parameters: { maxTokens: 5 } }, call);
		expect(answer.usage!.promptTokens).toBeLessThan(CONTEXT);
	});

	it('killed in the middle of an answer', async () => {
		expect(['connectionLost', 'streamEndedEarly']).toContain(
			(await killedInMidAnswer(server, { model, kill })).kind,
		);
	});
});
