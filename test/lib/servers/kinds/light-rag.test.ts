import { connectTo } from '../../../../lib/servers/connect';
import {
	askServerKind,
	forgetIfContradicted,
	knownServerKind,
} from '../../../../lib/servers/identify';
import { listModels } from '../../../../lib/servers/model-list';
import { closeRawServers, rawServer, whole } from '../../../support/raw-answers';
import { httpFixture } from '../../../support/streams';
import { check, ids, json, routes } from '../../health/support';
import { testKind } from './kind-suite';

const LIGHT_RAG = 'lightrag-1.5.7';
const NAME = 'lightrag:latest';
const IDENTITY = {
	models: `${LIGHT_RAG}/models`,
	apiVersion: `${LIGHT_RAG}/version`,
	tags: `${LIGHT_RAG}/tags`,
};

describe('LightRAG', () => {
	testKind('lightRag', {
		told: [["a list of Ollama's and none of OpenAI's", IDENTITY]],
		notTold: [
			[
				"a server of one's own with such a version",
				{ ...IDENTITY, tags: { detail: 'x' } },
				'other',
			],
			[
				'its answers to a wrong key',
				{ ...IDENTITY, apiVersion: { detail: 'x' }, tags: {} },
				'other',
			],
		],
		version: [IDENTITY, '0.9.3'],
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
			notes: expect.any(Array),
		},
		advice: {},
	});

	afterEach(closeRawServers);

	const body = (name: string) =>
		whole('200 OK', httpFixture(`${LIGHT_RAG}/${name}.http`).body, {
			'Content-Type': 'application/json',
		});
	const notFound = json('404 Not Found', { detail: 'Not Found' });
	const start = async () =>
		await rawServer(
			routes({ '/api/version': body('version'), '/api/tags': body('tags') }, notFound),
		);

	it('is found by requests, with its one model', async () => {
		const connection = connectTo({ baseUrl: await start() });
		expect(await askServerKind(connection)).toBe('lightRag');
		expect((await listModels(connection)).map(({ id }) => id)).toEqual([NAME]);
	});

	it('stays known when it answers like Ollama', async () => {
		const connection = connectTo({ baseUrl: await start() });
		await askServerKind(connection);
		forgetIfContradicted(connection, 'ollama');
		expect(knownServerKind(connection)).toBe('lightRag');
	});

	it('is healthy', async () => {
		const result = await check(await start());
		expect(result).toMatchObject({ status: 'healthy', models: [{ id: NAME }] });
		expect(ids(result)).not.toContain('wrongPath');
	});

	it('that refuses the key is no wrong address', async () => {
		const refused = json('403 Forbidden', { detail: 'Invalid API Key' });
		const url = await rawServer(
			routes({ '/api/version': refused, '/api/tags': refused }, notFound),
		);
		expect(await check(url)).toMatchObject({ status: 'unauthorized' });
	});
});
