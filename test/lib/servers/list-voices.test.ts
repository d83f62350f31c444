import { createModelServer } from '../../../lib/servers/endpoint';
import { listVoices, parseVoices } from '../../../lib/servers/list-voices';
import { sendJson, startScripted } from '../../support/servers/scripted-server';
import { useSimulator } from '../../simulators/use-simulator';
import { NO_EXECUTION } from '../../support/n8n/node-host';

const startServer = useSimulator(startScripted);

const serve = async (path: string, body: unknown, status = 200) => {
	const server = await startServer((request, response) =>
		request.path === path
			? sendJson(response, body as object, status)
			: sendJson(response, { detail: 'Not Found' }, 404),
	);
	return createModelServer({ baseUrl: server.url }, NO_EXECUTION);
};

test.each<[string, unknown, Array<[string, string]>]>([
	[
		'Kokoro-FastAPI',
		{
			voices: [
				{ id: 'af_heart', name: 'af_heart' },
				{ id: 'am_adam', name: 'am_adam' },
			],
		},
		[
			['af_heart', 'af_heart'],
			['am_adam', 'am_adam'],
		],
	],
	['Kokoro-FastAPI, older', { voices: ['af_heart'] }, [['af_heart', 'af_heart']]],
	[
		'speaches',
		{ voices: [{ name: 'af_heart', language: 'en-us', gender: 'female' }], object: 'list' },
		[['af_heart', 'af_heart, en-us']],
	],
	['a list', [{ voice_id: 'x1', name: 'Anna' }], [['x1', 'Anna (x1)']]],
	['twice', { data: ['a', 'a', '', null, {}] }, [['a', 'a']]],
])('the voices of a server: %s', async (_name, body, voices) => {
	const listed = await listVoices(await serve('/v1/audio/voices', body));
	expect(listed.map(({ id, label }) => [id, label])).toEqual(voices);
});

test('no list', () => {
	for (const json of [undefined, null, 'a', {}, { voices: 'a' }])
		expect(parseVoices(json)).toBeUndefined();
});

test.each<[string, string, unknown, number, object]>([
	[
		'no route',
		'/v1/models',
		{ data: [{ id: 'tts' }] },
		200,
		{ message: 'The server does not list its voices' },
	],
	['not allowed', '/v1/audio/voices', {}, 405, { message: 'The server does not list its voices' }],
	[
		'no voices',
		'/v1/audio/voices',
		{ voices: [] },
		200,
		{ message: 'The server does not list its voices' },
	],
	['a rejected key', '/v1/audio/voices', { detail: 'No key' }, 401, { type: 'unauthorized' }],
])('voices cannot be listed: %s', async (_name, path, body, status, error) => {
	await expect(listVoices(await serve(path, body, status))).rejects.toMatchObject(error);
});

test('vox-box lists its voices at another route', async () => {
	const listed = await listVoices(await serve('/v1/voices', { voices: ['Anna', 'Ben'] }));
	expect(listed.map(({ id }) => id)).toEqual(['Anna', 'Ben']);
	await expect(
		listVoices(await serve('/v1/voices', { detail: 'Loading model' }, 503)),
	).rejects.toMatchObject({ message: 'The server does not list its voices' });
});
