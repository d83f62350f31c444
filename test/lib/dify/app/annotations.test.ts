import { updateAnnotation } from '../../../../lib/dify/app/annotations';
import { AppApi } from '../../../../lib/dify/app/api';
import { annotationRoutes } from '../../../../lib/dify/app/routes';
import type { Limit } from '../../../../lib/dify/paging';
import type { DifySim } from '../../../servers/dify';
import { calls, clientOf, failureOf, startSim, UNKNOWN_ID } from '../client';

const asked = (sim: DifySim, method: string) => calls(sim, /\/apps\/annotations/, method);
const annotations = async (sim: DifySim, keyword: string, most: Limit) =>
	await new AppApi(clientOf(sim)).list(annotationRoutes.list, { keyword }, most);

async function withAnnotations(count: number): Promise<DifySim> {
	const sim = await startSim();
	sim.app('chat').annotations = Array.from({ length: count }, (_, at) => ({
		id: `00000000-0000-4000-8000-${String(at).padStart(12, '0')}`,
		question: `q${at}`,
		answer: `a${at}`,
		hit_count: 0,
		created_at: 1,
	}));
	return sim;
}

describe('annotations', () => {
	it('are listed whole, page by page by the total, since Dify says wrongly whether there is more', async () => {
		const sim = await withAnnotations(250);
		expect(await annotations(sim, '', 'all')).toHaveLength(250);
		expect(asked(sim, 'GET')).toBe(3);
		const exact = await withAnnotations(100);
		expect(await annotations(exact, '', 'all')).toHaveLength(100);
		expect(asked(exact, 'GET')).toBe(1);
	});

	it('are listed as far as asked for, and by a keyword', async () => {
		const sim = await withAnnotations(30);
		expect(await annotations(sim, '', 7)).toHaveLength(7);
		expect((await annotations(sim, 'q12', 'all')).map(({ answer }) => answer)).toEqual(['a12']);
	});

	it.each([
		{ question: ' ', answer: 'x' },
		{ question: 'x', answer: '' },
	])('need both texts: %j', async (texts) => {
		const sim = await startSim();
		const created = new AppApi(clientOf(sim)).call(annotationRoutes.create, texts);
		expect((await failureOf(created)).message).toMatch(/"(?:Question|Answer)" is empty/);
		expect(sim.requests).toEqual([]);
	});

	it('keep the text that is not given', async () => {
		const sim = await withAnnotations(3);
		const { id } = sim.app('chat').annotations[1]!;
		expect(await updateAnnotation(clientOf(sim), id, { answer: 'new' })).toMatchObject({
			question: 'q1',
			answer: 'new',
		});
	});

	it('one that the app does not have', async () => {
		const sim = await withAnnotations(1);
		const change = updateAnnotation(clientOf(sim), UNKNOWN_ID, { answer: 'new' });
		expect((await failureOf(change)).message).toBe('This app has no annotation with this ID');
		expect(asked(sim, 'PUT')).toBe(0);
	});

	it('with both texts are changed without a look', async () => {
		const sim = await withAnnotations(1);
		const { id } = sim.app('chat').annotations[0]!;
		const texts = { question: 'What is a llama?', answer: 'A camelid.' };
		expect(await updateAnnotation(clientOf(sim), id, texts)).toMatchObject(texts);
		expect([asked(sim, 'GET'), asked(sim, 'PUT')]).toEqual([0, 1]);
	});
});
