/** The example workflows in which n8n and Dify work together. */
import { startLlamaServerSim } from '../servers/llama-server';
import { withBody, difyRequest, sendRequest } from './support/dify-requests';
import { DIFY_EXAMPLES } from '../e2e/support/examples';
import {
	activated,
	after,
	describeExamples,
	labelling,
	localCredential,
	stored,
	theN8n,
} from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';
import type { Workflow } from '../e2e/support/playground';

/** The endpoint's key in Dify's header. */
const keyOf = async (key: string) => ({
	type: 'httpHeaderAuth' as const,
	credential: await stored({
		name: 'Key of Dify',
		type: 'httpHeaderAuth',
		data: { name: 'Authorization', value: `Bearer ${key}` },
	}),
});
/** Retries until n8n has registered the webhook, a moment after it activates the workflow. */
const registered = async (path: string) => void (await theN8n().webhook(path, { body: {} }));
const executionsOf = async ({ id }: Workflow & { id: string }) =>
	await theN8n().listExecutions({ workflowId: id, status: ['success', 'error'], limit: 100 });

interface Records {
	records: Array<{ content: string; score: number; title: string; metadata: object }>;
}

const RUNS: Record<string, () => Promise<string>> = {
	'n8n-as-dify-knowledge': async () => {
		const path = 'dify/retrieval';
		const server = await startLlamaServerSim({ embeddings: { dimensions: 64 } });
		after(async () => await server.close());
		const workflow = await activated('n8n-as-dify-knowledge', {
			local: await localCredential(server),
			model: 'sim-model',
			others: { 'Dify asks': await keyOf('ek-secret') },
		});
		await registered(path);
		const filled = await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, 'Start'));
		expect(filled.data.resultData.error).toBeUndefined();

		// The key is checked before the workflow starts.
		const before = (await executionsOf(workflow)).length;
		const question = difyRequest('ek-chat-ok');
		for (const authorization of ['Bearer wrong', 'ek-secret', ''])
			expect(
				(await sendRequest({ ...question, headers: { ...question.headers, authorization } }, path))
					.status,
			).toBe(403);
		expect(await executionsOf(workflow)).toHaveLength(before);

		// When the endpoint is saved, Dify sends an empty request.
		const saving = difyRequest('ek-register-ok');
		expect(saving.body).toBeUndefined();
		expect(await sendRequest(saving, path)).toEqual({ status: 200, json: { records: [] } });

		const everything = await sendRequest(difyRequest('ek-console-test-ok'), path);
		expect(everything.status).toBe(200);
		const { records } = everything.json as Records;
		expect(records).toHaveLength(3);
		for (const record of records) {
			expect(record).toEqual({
				content: expect.any(String) as string,
				title: expect.stringMatching(/\.md$/) as string,
				score: expect.any(Number) as number,
				metadata: expect.objectContaining({ title: record.title }) as object,
			});
			expect(record.score).toBeGreaterThanOrEqual(0);
			expect(record.score).toBeLessThanOrEqual(1);
		}
		expect(records.map(({ score }) => score)).toEqual(
			[...records].sort((one, other) => other.score - one.score).map(({ score }) => score),
		);

		// Dify repeats slow calls: the answer is the same.
		const [first, ...again] = [
			await sendRequest(question, path),
			await sendRequest(question, path),
			await sendRequest(question, path),
			await sendRequest(question, path),
		];
		for (const answer of again) expect(answer).toEqual(first);
		for (const { score } of (first.json as Records).records)
			expect(score).toBeGreaterThanOrEqual(0.5);

		const retrieval = async (change: Record<string, unknown>) => {
			const { status, json } = await sendRequest(
				withBody(difyRequest('ek-console-test-ok'), change),
				path,
			);
			expect(status).toBe(200);
			return (json as Records).records.map(({ title }) => title).sort();
		};
		expect(await retrieval({ retrieval_setting: { top_k: 1, score_threshold: 0 } })).toHaveLength(
			1,
		);
		expect(
			await retrieval({ retrieval_setting: { top_k: null, score_threshold: 0 } }),
		).toHaveLength(3);
		expect(await retrieval({ retrieval_setting: { top_k: 4, score_threshold: 1.1 } })).toEqual([]);
		expect(await retrieval({ query: ' ' })).toEqual([]);
		const where = (
			logical_operator: string,
			...conditions: Array<[string, string, string | null]>
		) => ({
			metadata_condition: {
				logical_operator,
				conditions: conditions.map(([name, comparison_operator, value]) => ({
					name,
					comparison_operator,
					value,
				})),
			},
		});
		expect(await retrieval(where('and', ['title', 'is', 'llamas.md']))).toEqual(['llamas.md']);
		expect(
			await retrieval(where('or', ['title', 'start with', 'ret'], ['title', 'contains', 'hours'])),
		).toEqual(['opening-hours.md', 'returns.md']);
		expect(await retrieval(where('and', ['language', 'not empty', null]))).toEqual([]);
		return `${records.length} records, the first: ${records[0]!.title} (${records[0]!.score})`;
	},

	'n8n-moderates-dify': async () => {
		const path = 'dify-extension';
		const server = await labelling([
			[/password/, 'D'],
			[/idiot/, 'B'],
			[/./, 'A'],
		]);
		const workflow = await activated('n8n-moderates-dify', {
			local: await localCredential(server),
			model: 'sim-model',
			others: { 'Dify asks': await keyOf('ax-secret-key') },
		});
		await registered(path);
		const ping = difyRequest('ax-register');
		const wrong = { ...ping, headers: { ...ping.headers, Authorization: 'Bearer wrong' } };
		expect((await sendRequest(wrong, path)).status).toBe(403);
		expect(await executionsOf(workflow)).toEqual([]);
		expect(await sendRequest(ping, path)).toEqual({ status: 200, json: { result: 'pong' } });

		const input = difyRequest('ax-mod-ok');
		const fine = await sendRequest(input, path);
		const { params } = JSON.parse(input.body!) as { params: { inputs: object; query: string } };
		expect(fine).toEqual({
			status: 200,
			json: {
				flagged: false,
				action: 'direct_output',
				preset_response: '',
				inputs: params.inputs,
				query: params.query,
			},
		});
		const flagged = await sendRequest(
			withBody(input, { params: { ...params, query: 'You idiot!' } }),
			path,
		);
		expect(flagged.json).toMatchObject({
			flagged: true,
			action: 'direct_output',
			preset_response: 'I cannot talk about this.',
		});
		// A text generator has no query: the text is in its form.
		const form = difyRequest('ax-comp-ok');
		const generator = (JSON.parse(form.body!) as { params: { inputs: object } }).params;
		expect((await sendRequest(form, path)).json).toMatchObject({
			flagged: false,
			inputs: generator.inputs,
			query: '',
		});
		const inForm = { params: { ...generator, inputs: { query: 'You idiot!' } } };
		expect((await sendRequest(withBody(form, inForm), path)).json).toMatchObject({
			flagged: true,
			action: 'direct_output',
		});

		const output = difyRequest('ax-mod-ok-answer');
		const { text } = (JSON.parse(output.body!) as { params: { text: string } }).params;
		expect(await sendRequest(output, path)).toEqual({
			status: 200,
			json: { flagged: false, action: 'direct_output', preset_response: '', text },
		});
		const leak = await sendRequest(
			withBody(output, { params: { text: 'The password is 1234.' } }),
			path,
		);
		expect(leak.json).toMatchObject({ flagged: true, action: 'direct_output' });

		const tool = difyRequest('ax-tool-ok');
		expect(await sendRequest(tool, path)).toEqual({
			status: 200,
			json: { result: 'Nothing is known for extd.' },
		});
		const asked = (JSON.parse(tool.body!) as { params: object }).params;
		expect(
			(
				await sendRequest(
					withBody(tool, { params: { ...asked, query: 'Are there any A-100?' } }),
					path,
				)
			).json,
		).toEqual({
			result: 'A-100: 12 pieces in stock',
		});
		expect((await sendRequest(withBody(tool, { point: 'app.other' }), path)).status).toBe(400);

		// The check fails closed. n8n 2.41 answers 500, 2.20 an empty 200: Dify accepts only JSON with status 200.
		await server.close();
		const down = await sendRequest(input, path);
		expect(down.status === 200 ? down.json : down.status).toBe(down.status === 200 ? '' : 500);
		await until(
			async () => await executionsOf(workflow),
			([latest]) => latest?.status === 'error',
		);
		return 'pong; fine, flagged, and a text for the variable';
	},
};

describeExamples(DIFY_EXAMPLES, RUNS);
