import { searchAnnotations } from '../../../nodes/DifyApp/search-annotations';
import { startApp } from '../../lib/dify/client';
import { type AppSpec, type DifySim } from '../../servers/dify';
import { byId, editor, errorIn, executeIn, executeNode, nodeErrorOf, prepareNode, shownIn, type Setup } from '../dify';

const run = async (sim: DifySim, parameters: Record<string, unknown>, setup: Setup = {}) =>
	await executeNode('difyApp', sim, { ...setup, parameters });
const binaryItem = (fileName: string, mimeType: string, content = 'sound') => ({
	json: {},
	binary: { data: { data: Buffer.from(content).toString('base64'), mimeType, fileName } },
});
const chatApp = async (more: Partial<AppSpec> = {}) => await startApp('1.14', { mode: 'chat', ...more });

describe('text: generate', () => {
	const generate = { resource: 'text', operation: 'generate' };
	const writer = async () =>
		await startApp('1.14', {
			mode: 'completion',
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: ({ inputs }) => ['About ', String(inputs.topic)],
		});

	it('gives one text for each item, several at once, in order', async () => {
		const items = await run(
			await writer(),
			{ ...generate, options: { itemsAtOnce: 4 } },
			{
				mode: 'completion',
				items: Array.from({ length: 6 }, () => ({ json: {} })),
				perItem: Array.from({ length: 6 }, (_, at) => ({ text: `t${at}` })),
			},
		);
		expect(items.map(({ json, pairedItem }) => [json.answer, pairedItem])).toEqual(
			Array.from({ length: 6 }, (_, at) => [`About t${at}`, { item: at }]),
		);
		expect(items[0]!.json).toMatchObject({ messageId: expect.any(String) as string, user: 'u1' });
	});

	it('types it into the chat', async () => {
		const fake = prepareNode('difyApp', await writer(), {
			mode: 'completion',
			streaming: true,
			parameters: { ...generate, text: 'sea' },
		});
		await executeIn('difyApp', fake);
		expect(shownIn(fake)).toBe('About sea');
	});

	it('takes the form, and gives the answer as Dify would', async () => {
		const [item] = await run(
			await writer(),
			{ ...generate, inputsJson: '{"topic":"hills"}', simplify: false },
			{ mode: 'completion' },
		);
		expect(item!.json).toMatchObject({ event: 'message', mode: 'completion', answer: 'About hills' });
	});

	it('goes on with the details of a failure, where the node may', async () => {
		const sim = await startApp('1.14', {
			mode: 'completion',
			reply: () => ({
				steps: [{ text: 'Half' }, { error: { status: 400, code: 'completion_request_error', message: 'x' } }],
			}),
		});
		const [item] = await run(sim, generate, { mode: 'completion', continueOnFail: true });
		expect(errorIn(item!)).toMatchObject({ answer: 'Half' });
	});
});

describe('audio', () => {
	it('speak: D124, a file with the name of its sound', async () => {
		const speech = Buffer.concat([Buffer.from('RIFF\0\0\0\0WAVE'), Buffer.alloc(500)]);
		const sim = await chatApp({ textToSpeech: true, speech, voice: 'alloy' });
		const [item] = await run(sim, { resource: 'audio', operation: 'speak', source: 'text', text: 'Hello' });
		expect(item!.json).toMatchObject({ fileName: 'speech.wav', mimeType: 'audio/wav', bytes: 512, voice: 'alloy' });
		expect(Buffer.from(item!.binary!.data!.data, 'base64').equals(speech)).toBe(true);
	});

	it('speak: an app without speech is told before anything is sent', async () => {
		const sim = await chatApp({ textToSpeech: false });
		const failed = await nodeErrorOf(
			run(sim, { resource: 'audio', operation: 'speak', source: 'text', text: 'Hi', options: { voice: 'alloy' } }),
		);
		expect(failed.message).toBe('Text to Speech is switched off in the app');
		expect(sim.requests.map(({ path }) => path)).toEqual(['/parameters']);
	});

	it('transcribe', async () => {
		const sim = await chatApp({ speechToText: true, heard: 'hello world' });
		const [item] = await run(
			sim,
			{ resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
			{ items: [binaryItem('note.mp3', 'audio/mpeg')] },
		);
		expect(item!.json).toEqual({ text: 'hello world', fileName: 'note.mp3', bytes: 5 });
	});

	it('transcribe: silence is a hint, not a failure', async () => {
		const sim = await chatApp({ speechToText: true, heard: '' });
		const fake = prepareNode('difyApp', sim, {
			items: [binaryItem('note.wav', 'audio/wav')],
			parameters: { resource: 'audio', operation: 'transcribe', binaryPropertyName: 'data' },
		});
		expect((await executeIn('difyApp', fake))[0]!.json.text).toBe('');
		expect(fake.hints).toMatchObject([{ message: 'Nothing was heard in the recording.' }]);
	});
});

describe('annotations', () => {
	const annotation = (operation: string, more: Record<string, unknown> = {}) => ({
		resource: 'annotation',
		operation,
		...more,
	});
	const texts = { question: 'Who?', answer: 'Me.' };

	it('are created, found, changed and deleted', async () => {
		const sim = await chatApp();
		const [made] = await run(sim, annotation('create', texts));
		const annotationId = byId(made!.json.id);
		expect(await run(sim, annotation('upsert', texts))).toMatchObject([{ json: { created: false } }]);
		expect(await run(sim, annotation('update', { annotationId, question: '', answer: 'You.' }))).toMatchObject([
			{ json: { question: 'Who?', answer: 'You.' } },
		]);
		expect(await run(sim, annotation('getAll', { keyword: 'Wh', returnAll: true }))).toHaveLength(1);
		for (const words of [undefined, 'who'])
			expect((await searchAnnotations.call(editor(sim, {}), words)).results).toEqual([
				{ name: 'Who?', value: made!.json.id, description: 'You.' },
			]);
		expect((await searchAnnotations.call(editor(sim, {}), 'whom')).results).toEqual([]);
		expect(await run(sim, annotation('delete', { annotationId }))).toMatchObject([{ json: { success: true } }]);
		expect(sim.app('chat').annotations).toEqual([]);
	});

	it('the reply is switched on and off, and its job asked for', async () => {
		const sim = await chatApp();
		const [on] = await run(sim, { resource: 'annotationReply', operation: 'enable', options: { waitLimit: 0 } });
		expect(on!.json).toMatchObject({ status: 'waiting' });
		const [job] = await run(sim, {
			resource: 'annotationReply',
			operation: 'getStatus',
			action: 'enable',
			jobId: on!.json.jobId,
		});
		expect(job!.json).toMatchObject({ status: 'completed' });
		expect(sim.app('chat').annotationReply.enabled).toBe(true);
	});
});

describe('files, users and the app', () => {
	it('upload gives what a later run takes, download gives it back', async () => {
		const sim = await chatApp({ fileUpload: { enabled: true } });
		const [up] = await run(
			sim,
			{ resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
			{ items: [binaryItem('a.pdf', 'application/pdf', 'pdf!')] },
		);
		expect(up!.json).toMatchObject({
			type: 'document',
			fileName: 'a.pdf',
			bytes: 4,
			file: { transfer_method: 'local_file' },
		});
		const id = String(up!.json.uploadFileId);
		sim.store.files.get(id)!.attachedTo.add(sim.app('chat').id);
		const [down] = await run(sim, {
			resource: 'file',
			operation: 'download',
			fileId: id,
			binaryPropertyOutput: 'data',
		});
		expect(down!.json).toMatchObject({ fileName: 'a.pdf', bytes: 4 });
		expect(Buffer.from(down!.binary!.data!.data, 'base64').toString()).toBe('pdf!');
	});

	it('get', async () => {
		const sim = await chatApp({ name: 'Helper' });
		expect(await run(sim, { resource: 'app', operation: 'get', parts: ['info'] })).toMatchObject([
			{ json: { info: { name: 'Helper' } } },
		]);
	});

	it('an operation that does not exist', async () => {
		const sim = await chatApp();
		await expect(run(sim, { resource: 'app', operation: 'explode' })).rejects.toThrow('no operation "explode"');
	});
});
