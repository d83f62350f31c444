import { type Json } from '../../../servers/dify';
import { REVIEW, START, startFlow, work, workJson } from '../workflow';

describe('answering a form', () => {
	test('Form: files are uploaded by the user who answers', async () => {
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
		const sent = sim.requests.at(-1)!.json as { inputs: { doc: Json } };
		expect(sent.inputs.doc).toMatchObject({ type: 'image', transfer_method: 'local_file' });
	});
});
