import { searchAnnotations } from '../../../../nodes/DifyApp/annotation';
import { byId, createEditorContext } from '../../dify';
import { startChatApp, executeApp } from '../app';

describe('annotations', () => {
	const annotation = (operation: string, fields: Record<string, unknown> = {}) => ({
		resource: 'annotation',
		operation,
		...fields,
	});
	const texts = { question: 'Who?', answer: 'Me.' };

	it('are created, found, updated and deleted', async () => {
		const sim = await startChatApp();
		const [created] = await executeApp(sim, annotation('create', texts));
		const annotationId = byId(created!.json.id);
		expect(
			await executeApp(
				sim,
				annotation('update', { annotationId, question: 'Who?', answer: 'You.' }),
			),
		).toMatchObject([{ json: { question: 'Who?', answer: 'You.' } }]);
		// Dify would store an empty question.
		await expect(
			executeApp(sim, annotation('update', { annotationId, question: '', answer: 'You.' })),
		).rejects.toThrow('The field "Question" is empty');
		expect(
			await executeApp(sim, annotation('getAll', { keyword: 'Wh', returnAll: true })),
		).toHaveLength(1);
		for (const filter of [undefined, 'who'])
			expect((await searchAnnotations.call(createEditorContext(sim, {}), filter)).results).toEqual([
				{ name: 'Who?', value: created!.json.id, description: 'You.' },
			]);
		expect((await searchAnnotations.call(createEditorContext(sim, {}), 'whom')).results).toEqual(
			[],
		);
		expect(await executeApp(sim, annotation('delete', { annotationId }))).toMatchObject([
			{ json: { success: true } },
		]);
		expect(sim.app('chat').annotations).toEqual([]);
	});
});
