import { type Json } from '../../../simulators/dify';
import { nodeErrorOf } from '../../dify';
import { operate, REVIEW, START, startFlow, work, workJson } from '../workflow';

describe('submitting a form', () => {
	test('Form: files are uploaded by the user who submits it', async () => {
		const inputs = [{ output_variable_name: 'doc', type: 'file', allowed_file_types: ['image'] }];
		const sim = await startFlow({ steps: [START, { pause: [{ ...REVIEW, inputs }] }] });
		await workJson(sim);
		const data = {
			data: Buffer.from('png!').toString('base64'),
			mimeType: 'image/png',
			fileName: 'a.png',
		};
		await work(sim, {
			items: [{ json: {}, binary: { data } }],
			parameters: {
				resource: 'form',
				operation: 'submit',
				formToken: 'tok',
				action: 'approve',
				values: { doc: 'data' },
			},
		});
		const body = sim.requests.at(-1)!.json as { inputs: { doc: Json } };
		expect(body.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
	});

	test('a button by its label, values as text, and defaults of the form', async () => {
		const sim = await startFlow({ steps: [START, { pause: [REVIEW] }] });
		await workJson(sim);
		const answer = { formToken: 'tok', action: 'APPROVE', values: { pick: 'Rot' } };
		expect((await operate(sim, 'form', 'submit', answer))[0]!.json).toMatchObject({
			action: 'approve',
			submitted: true,
		});
		expect(sim.requests.at(-1)!.json).toMatchObject({
			action: 'approve',
			inputs: { pick: 'Rot', note: 'as usual' },
		});
	});

	test('a rejected submission leaves the form open, and a second submission is too late', async () => {
		const sim = await startFlow({ steps: [START, { pause: [REVIEW] }] });
		await workJson(sim);
		const answer = { formToken: 'tok', action: 'approve', values: { pick: 'Rot' } };
		const wrong = { ...answer, action: 'burn' };
		const rejectedError = await nodeErrorOf(operate(sim, 'form', 'submit', wrong));
		expect(rejectedError.context.data).toMatchObject({ type: 'formRejected' });
		await operate(sim, 'form', 'submit', answer);
		const closedError = await nodeErrorOf(operate(sim, 'form', 'submit', answer));
		expect(closedError.context.data).toMatchObject({ type: 'formClosed' });
		for (const formToken of ['', 'null'])
			await expect(operate(sim, 'form', 'submit', { ...answer, formToken })).rejects.toThrow(
				'The form has no token',
			);
	});
});
