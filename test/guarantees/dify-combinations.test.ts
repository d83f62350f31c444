/** Combinations of unusual conditions in long use of Dify. */
import { UNKNOWN_ID, startApp, startSim } from '../lib/dify/client';
import type { FormField } from '../simulators/dify';
import { startScripted } from '../support/servers/scripted-server';
import { useSimulator } from '../simulators/use-simulator';
import {
	ALL_FILES,
	sendMessages,
	sendMessageError,
	sendMessageJson,
	executePrepared,
	getNodeError,
	prepareNode,
	textFile,
} from '../nodes/dify';

const latest = { conversation: 'latest' };

test('the latest conversation: is an error if it cannot be looked up, since a new one would lose the history', async () => {
	const sim = await startSim();
	for (const fault of [
		{
			status: 500,
			body: '{"code":"unknown","message":"Internal Server Error","status":500}',
			contentType: 'application/json',
		},
		{ status: 200, body: '<html></html>' },
	]) {
		sim.fail({ path: '/conversations', ...fault });
		await sendMessageError(sim, { parameters: latest });
	}
	expect(sim.runs).toHaveLength(0);
});

test('Stop: between the upload and the run starts no run', async () => {
	const sim = await startSim();
	const controller = new AbortController();
	const fake = prepareNode('difyChatMessage', sim, {
		signal: controller.signal,
		items: textFile('eA=='),
		parameters: ALL_FILES,
	});
	const { files } = sim.store;
	const keep = files.set.bind(files);
	files.set = (id, file) => {
		// Dify has the file, and the node has no response yet: later the run may have started.
		controller.abort();
		return keep(id, file);
	};
	expect((await getNodeError(executePrepared('difyChatMessage', fake))).message).toMatch(
		/stopped|cancelled/,
	);
	expect(files.size).toBe(1);
	expect(sim.runs).toHaveLength(0);
});

describe('redirects to another URL, as from http to https', () => {
	const start = useSimulator(startScripted);

	test.each([301, 302, 307, 308])(
		'%i reports the target, and is not treated as a wrong key',
		async (status) => {
			const sim = await startSim();
			const target = sim.url.replace('127.0.0.1', 'localhost');
			const proxy = await start(({ path }, response) => {
				response.writeHead(status, { location: `${target}${path.slice(3)}` });
				response.end('<html><title>Moved</title></html>');
			});
			const url = `${proxy.url}/v1`;
			// A run, a question before it, and an upload.
			for (const setup of [
				{},
				{ parameters: { conversation: 'latest' } },
				{ items: textFile('eA=='), parameters: ALL_FILES },
			]) {
				const failed = await sendMessageError({ url }, setup);
				expect(failed.description).toContain(`redirects this request to ${target}/`);
				expect(failed.description).toContain('set the Base URL to that address');
				expect(failed.context.data).toMatchObject({ type: 'unexpectedRedirect' });
			}
			expect(sim.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
			expect(sim.runs).toHaveLength(0);
		},
	);
});

describe('the form of the app', () => {
	test('without a filled-in input is checked by Dify', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'text-input', variable: 'city', required: true }],
		});
		for (const inputs of [{}, { value: null }, { value: {} }, null]) {
			expect(
				(await sendMessageError(sim, { parameters: { inputsMode: 'form', inputs } })).message,
			).toBe('city: city is required in input form');
		}
		expect(
			await sendMessageJson(sim, {
				parameters: { inputsMode: 'form', inputs: { value: { city: '' } } },
			}),
		).toMatchObject({
			answer: 'You said: hi',
		});
	});

	test('uploads no file if one of the form or of Files is rejected', async () => {
		const form: FormField[] = [
			{ kind: 'file', variable: 'picture', allowedTypes: ['image'] },
			{ kind: 'file-list', variable: 'papers', allowedTypes: ['document'] },
		];
		const sim = await startApp({
			mode: 'chat',
			form,
			fileUpload: { enabled: true, types: ['image'] },
		});
		const items = [
			{
				json: {},
				binary: {
					png: { data: 'eA==', mimeType: 'image/png', fileName: 'a.png' },
					txt: { data: 'eA==', mimeType: 'text/plain', fileName: 'b.txt' },
				},
			},
		];
		const send = async (value: object, beside: string) =>
			await sendMessageError(sim, {
				items,
				parameters: {
					inputsMode: 'form',
					inputs: { value },
					files: { file: [{ source: 'binary', binaryProperty: beside }] },
				},
			});
		expect((await send({ picture: 'png', papers: 'none' }, 'png')).message).toContain(
			"no binary field 'none'",
		);
		expect(sim.requests.filter(({ path }) => path === '/files/upload')).toHaveLength(0);
	});

	test('derives the transfer method of a file object from its other fields', async () => {
		const sim = await startApp({
			mode: 'chat',
			form: [{ kind: 'file', variable: 'picture', allowedTypes: ['image'] }],
		});
		const send = (picture: object) => ({
			parameters: { inputsMode: 'form', inputs: { value: { picture } } },
		});
		await sendMessages(sim, send({ type: 'image', url: 'https://example.com/a.png' }));
		expect(sim.runs[0]!.inputs.picture).toMatchObject({
			transfer_method: 'remote_url',
			remote_url: 'https://example.com/a.png',
		});
		expect(
			(await sendMessageError(sim, send({ type: 'image', upload_file_id: UNKNOWN_ID }))).message,
		).toContain('Invalid upload file');
		expect((await sendMessageError(sim, send({ type: 'image' }))).message).toBe(
			'A file in the inputs has neither url nor upload_file_id',
		);
	});
});
