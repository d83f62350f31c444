import { searchAnnotations } from '../../../../nodes/DifyApp/annotation';
import { byId, editor } from '../../dify';
import { chatApp, run } from '../app';

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
		expect(
			await run(sim, annotation('update', { annotationId, question: 'Who?', answer: 'You.' })),
		).toMatchObject([{ json: { question: 'Who?', answer: 'You.' } }]);
		// Dify would store an empty question.
		await expect(
			run(sim, annotation('update', { annotationId, question: '', answer: 'You.' })),
		).rejects.toThrow('The field "Question" is empty');
		expect(await run(sim, annotation('getAll', { keyword: 'Wh', returnAll: true }))).toHaveLength(
			1,
		);
		for (const words of [undefined, 'who'])
			expect((await searchAnnotations.call(editor(sim, {}), words)).results).toEqual([
				{ name: 'Who?', value: made!.json.id, description: 'You.' },
			]);
		expect((await searchAnnotations.call(editor(sim, {}), 'whom')).results).toEqual([]);
		expect(await run(sim, annotation('delete', { annotationId }))).toMatchObject([
			{ json: { success: true } },
		]);
		expect(sim.app('chat').annotations).toEqual([]);
	});
});
