import { type Json } from '../../../simulators/dify';
import { getNodeError } from '../../dify';
import {
	executeOperation,
	REVIEW,
	START,
	startWorkflow,
	executeWorkflow,
	executeWorkflowJson,
} from '../workflow';

describe('submitting a form', () => {
	test('uploads files as the user who submits it', async () => {
		const inputs = [{ output_variable_name: 'doc', type: 'file', allowed_file_types: ['image'] }];
		const sim = await startWorkflow({ steps: [START, { pause: [{ ...REVIEW, inputs }] }] });
		await executeWorkflowJson(sim);
		const data = {
			data: Buffer.from('png!').toString('base64'),
			mimeType: 'image/png',
			fileName: 'a.png',
		};
		await executeWorkflow(sim, {
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

	test('finds a button by its label, sends values as text, and applies the form defaults', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
		await executeWorkflowJson(sim);
		const submission = { formToken: 'tok', action: 'APPROVE', values: { pick: 'Rot' } };
		expect((await executeOperation(sim, 'form', 'submit', submission))[0]!.json).toMatchObject({
			action: 'approve',
			submitted: true,
		});
		expect(sim.requests.at(-1)!.json).toMatchObject({
			action: 'approve',
			inputs: { pick: 'Rot', note: 'as usual' },
		});
	});

	test('a rejected submission leaves the form open, and a second submission is too late', async () => {
		const sim = await startWorkflow({ steps: [START, { pause: [REVIEW] }] });
		await executeWorkflowJson(sim);
		const submission = { formToken: 'tok', action: 'approve', values: { pick: 'Rot' } };
		const unknownAction = { ...submission, action: 'burn' };
		const rejectedError = await getNodeError(
			executeOperation(sim, 'form', 'submit', unknownAction),
		);
		expect(rejectedError.context.data).toMatchObject({ type: 'formRejected' });
		await executeOperation(sim, 'form', 'submit', submission);
		const closedError = await getNodeError(executeOperation(sim, 'form', 'submit', submission));
		expect(closedError.context.data).toMatchObject({ type: 'formClosed' });
		expect(closedError.message).toBe('The form was already submitted');
		expect(sim.requests.at(-1)!.method).toBe('GET');
		for (const formToken of ['', 'null'])
			await expect(
				executeOperation(sim, 'form', 'submit', { ...submission, formToken }),
			).rejects.toThrow('The form has no token');
	});
});
