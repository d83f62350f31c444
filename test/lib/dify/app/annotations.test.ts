import {
	deleteAnnotation,
	updateAnnotation,
	upsertAnnotation,
} from '../../../../lib/dify/app/annotations';
import { AppApi } from '../../../../lib/dify/app/api';
import { annotationRoutes } from '../../../../lib/dify/app/routes';
import type { Limit } from '../../../../lib/dify/paging';
import type { DifySim } from '../../../servers/dify';
import { calls, clientOf, failureOf, startSim, UNKNOWN_ID } from '../client';

const asked = (sim: DifySim, method: string) => calls(sim, /\/apps\/annotations/, method);
const annotations = async (sim: DifySim, keyword: string, most: Limit) =>
	await new AppApi(clientOf(sim)).list(annotationRoutes.list, { keyword }, most);
const create: typeof upsertAnnotation = async (client, texts) => ({
	annotation: await new AppApi(client).call(annotationRoutes.create, texts),
	created: true,
});
const one = { question: 'What is a llama?', answer: 'A camelid.' };

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
		for (const change of [create, upsertAnnotation])
			expect((await failureOf(change(clientOf(sim), texts))).message).toMatch(
				/"(?:Question|Answer)" is empty/,
			);
		expect(sim.requests).toEqual([]);
	});

	it('D132: an equal question is updated, not doubled', async () => {
		const sim = await startSim();
		const client = clientOf(sim);
		expect(await upsertAnnotation(client, one)).toMatchObject({ created: true, annotation: one });
		const next = { ...one, answer: 'An animal.' };
		expect(await upsertAnnotation(client, next)).toMatchObject({
			created: false,
			annotation: next,
		});
		expect(await upsertAnnotation(client, next)).toMatchObject({ created: false });
		expect(sim.app('chat').annotations).toMatchObject([next]);
		expect([asked(sim, 'POST'), asked(sim, 'PUT')]).toEqual([1, 1]);
	});

	it('a long question is found again where its 60th character is an emoji', async () => {
		const sim = await startSim();
		const long = { question: `${'q'.repeat(59)}🦙 what is this?`, answer: 'x' };
		await upsertAnnotation(clientOf(sim), long);
		expect(await upsertAnnotation(clientOf(sim), { ...long, answer: 'y' })).toMatchObject({
			created: false,
		});
		expect(sim.app('chat').annotations).toHaveLength(1);
	});

	it('that differ by the case of letters are two', async () => {
		const sim = await startSim();
		await upsertAnnotation(clientOf(sim), one);
		expect(await annotations(sim, 'LLAMA', 'all')).toHaveLength(1);
		expect(
			await upsertAnnotation(clientOf(sim), { ...one, question: 'What is a LLAMA?' }),
		).toMatchObject({
			created: true,
		});
	});

	it('a question that only holds the other is another one', async () => {
		const sim = await startSim();
		await upsertAnnotation(clientOf(sim), one);
		await upsertAnnotation(clientOf(sim), { question: 'What is a llama', answer: 'x' });
		expect(sim.app('chat').annotations).toHaveLength(2);
	});

	it('keep the text that is not given', async () => {
		const sim = await withAnnotations(3);
		const { id } = sim.app('chat').annotations[1]!;
		expect(await updateAnnotation(clientOf(sim), id, { answer: 'new' })).toMatchObject({
			question: 'q1',
			answer: 'new',
		});
	});

	it('of another app are neither changed nor deleted: Dify 1.12 and 1.14 would change them', async () => {
		const sim = await withAnnotations(1);
		const other = { ...sim.app('chat').annotations[0]!, id: UNKNOWN_ID };
		sim.app('workflow').annotations = [other];
		for (const change of [
			updateAnnotation(clientOf(sim), UNKNOWN_ID, one),
			deleteAnnotation(clientOf(sim), UNKNOWN_ID),
		])
			expect((await failureOf(change)).message).toBe('This app has no annotation with this ID');
		expect(sim.app('workflow').annotations).toEqual([{ ...other, question: 'q0' }]);
		expect([asked(sim, 'PUT'), asked(sim, 'DELETE')]).toEqual([0, 0]);
		await deleteAnnotation(clientOf(sim), sim.app('chat').annotations[0]!.id);
		expect(sim.app('chat').annotations).toEqual([]);
	});
});
