import { calls } from '../../../lib/dify/client';
import { SIM_VERSIONS } from '../../../servers/dify';
import { nodeErrorOf } from '../../dify';
import { operate, REVIEW, START, startFlow, workJson } from '../workflow';

const NEWER = SIM_VERSIONS.filter((version) => version !== '1.12');

describe.each(NEWER)('a form, %s', (version) => {
	test('Form: read, answered and followed', async () => {
		const sim = await startFlow(version, {
			steps: [START, { pause: [REVIEW] }],
			outputs: { a: 1 },
		});
		const { workflowRunId } = await workJson(sim);
		const [form] = await operate(sim, 'form', 'get', { formToken: 'tok' });
		expect(form!.json).toMatchObject({
			formContent: 'Draft',
			inputs: [
				{ name: 'note', kind: 'paragraph', default: 'as usual' },
				{ name: 'pick', options: ['Rot', 'Grün'] },
			],
			actions: [{ id: 'approve' }, { id: 'reject' }],
		});
		const answer = {
			formToken: 'tok',
			action: 'Approve',
			values: '{"pick":"Grün"}',
			workflowRunId,
		};
		const [item] = await operate(sim, 'form', 'submitAndFollow', answer);
		expect(item!.json).toMatchObject({ status: 'succeeded', outputs: { a: 1 }, workflowRunId });
		expect(
			sim.requests.find(({ method, path }) => method === 'POST' && path.startsWith('/form/'))!.json,
		).toEqual({
			action: 'approve',
			inputs: { note: 'as usual', pick: 'Grün' },
			user: 'u1',
		});
	});

	test('Form: what does not fit is refused before it is sent, and so is a run ID that is none', async () => {
		const sim = await startFlow(version, { steps: [START, { pause: [REVIEW] }] });
		const { workflowRunId } = await workJson(sim);
		const answer = { formToken: 'tok', action: 'approve', values: {}, workflowRunId };
		for (const wrong of [
			{},
			{ values: { pick: 'Blau' } },
			{ action: 'maybe' },
			{ workflowRunId: 'x' },
		]) {
			const values = {
				pick: 'pick' in wrong ? undefined : 'Rot',
				...('values' in wrong ? wrong.values : {}),
			};
			const given = {
				...answer,
				...wrong,
				values: wrong === undefined || Object.keys(wrong).length === 0 ? {} : values,
			};
			await nodeErrorOf(operate(sim, 'form', 'submitAndFollow', given));
		}
		expect(calls(sim, /\/form\//)).toBe(0);
	});
});
