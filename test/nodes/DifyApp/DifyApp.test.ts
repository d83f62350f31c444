import { startChatApp, executeApp, createBinaryItem } from './app';
import { startApp } from '../../lib/dify/client';
import { executePrepared, prepareNode, getStreamedText, byId, createEditorContext } from '../dify';
import { searchAnnotations } from '../../../nodes/DifyApp/annotation';

it('the app: has its details in the item', async () => {
	const sim = await startChatApp({ name: 'Helper' });
	expect(await executeApp(sim, { resource: 'app', operation: 'get' })).toMatchObject([
		{ json: { info: { name: 'Helper' } } },
	]);
});

describe('text: generate', () => {
	const generate = { resource: 'text', operation: 'generate' };
	const startWriter = async () =>
		await startApp({
			mode: 'completion',
			form: [{ kind: 'paragraph', variable: 'topic' }],
			reply: ({ inputs }) => ['About ', String(inputs.topic)],
		});

	it('returns one text per item, several concurrently, in order', async () => {
		const items = await executeApp(
			await startWriter(),
			{ ...generate, options: { maxConcurrentItems: 4 } },
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

	it('names the app whose key it is, if that has no text for the field', async () => {
		const run = executeApp(await startChatApp(), { ...generate, text: 'sea' });
		await expect(run).rejects.toThrow('This key belongs to a chatbot');
	});

	it('streams the text into the chat', async () => {
		const fake = prepareNode('difyApp', await startWriter(), {
			mode: 'completion',
			streaming: true,
			parameters: { ...generate, text: 'sea' },
		});
		await executePrepared('difyApp', fake);
		expect(getStreamedText(fake)).toBe('About sea');
	});

	it('sends the form, and returns the response in Dify fields without Simplify', async () => {
		const [item] = await executeApp(
			await startWriter(),
			{ ...generate, inputsJson: '{"topic":"hills"}', simplify: false },
			{ mode: 'completion' },
		);
		expect(item!.json).toMatchObject({
			event: 'message',
			mode: 'completion',
			answer: 'About hills',
		});
	});
});

const annotation = (operation: string, fields: Record<string, unknown> = {}) => ({
	resource: 'annotation',
	operation,
	...fields,
});
const texts = { question: 'Who?', answer: 'Me.' };

it('annotations: are created, found, updated and deleted', async () => {
	const sim = await startChatApp();
	const [created] = await executeApp(sim, annotation('create', texts));
	const annotationId = byId(created!.json.id);
	expect(
		await executeApp(sim, annotation('update', { annotationId, question: 'Who?', answer: 'You.' })),
	).toMatchObject([{ json: { question: 'Who?', answer: 'You.' } }]);
	// Dify would store an empty question.
	await expect(
		executeApp(sim, annotation('update', { annotationId, question: '', answer: 'You.' })),
	).rejects.toThrow('The field "Question" is empty');
	expect(
		await executeApp(sim, annotation('getAll', { keyword: 'Wh', returnAll: true })),
	).toHaveLength(1);
	await expect(
		executeApp(sim, annotation('getAll', { keyword: 'x'.repeat(4_001), returnAll: true })),
	).rejects.toThrow('The field "Keyword" is too long for a search');
	for (const filter of [undefined, 'who'])
		expect((await searchAnnotations.call(createEditorContext(sim, {}), filter)).results).toEqual([
			{ name: 'Who?', value: created!.json.id, description: 'You.' },
		]);
	expect((await searchAnnotations.call(createEditorContext(sim, {}), 'whom')).results).toEqual([]);
	expect(await executeApp(sim, annotation('delete', { annotationId }))).toMatchObject([
		{ json: { success: true } },
	]);
	expect(sim.app('chat').annotations).toEqual([]);
});

it('files: an upload returns the file for a later run, and a download returns its content', async () => {
	const sim = await startChatApp({ fileUpload: { enabled: true } });
	const [upload] = await executeApp(
		sim,
		{ resource: 'file', operation: 'upload', binaryPropertyName: 'data' },
		{ items: [createBinaryItem('a.pdf', 'application/pdf', 'pdf!')] },
	);
	expect(upload!.json).toMatchObject({
		type: 'document',
		fileName: 'a.pdf',
		bytes: 4,
		file: { transfer_method: 'local_file' },
	});
	const id = String(upload!.json.uploadFileId);
	sim.store.files.get(id)!.attachedTo.add(sim.app('chat').id);
	const [download] = await executeApp(sim, {
		resource: 'file',
		operation: 'download',
		fileId: id,
		binaryPropertyOutput: 'data',
	});
	expect(download!.json).toMatchObject({ fileName: 'a.pdf', bytes: 4 });
	expect(Buffer.from(download!.binary!.data!.data, 'base64').toString()).toBe('pdf!');
});
