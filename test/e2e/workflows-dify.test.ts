/** The example workflows in which n8n and Dify work together. */
import { startLlamaServerSim } from '../servers/llama-server';
import { asking, difyAsks, sendAs } from './support/dify-asks';
import { DIFY_EXAMPLES } from './support/examples';
import { activated, after, describeExamples, labelling, localCredential, stored, theN8n } from './support/run-examples';
import { until } from './support/until';
import type { Workflow } from './support/playground';

/** The key of an endpoint, as Dify sends it. */
const keyOf = async (key: string) => ({
	type: 'httpHeaderAuth' as const,
	credential: await stored({
		name: 'Key of Dify',
		type: 'httpHeaderAuth',
		data: { name: 'Authorization', value: `Bearer ${key}` },
	}),
});
/** Until n8n knows the webhook, which is a moment after its workflow is activated. */
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

		// The key is asked for before the workflow begins.
		const before = (await executionsOf(workflow)).length;
		const question = difyAsks('ek-chat-ok');
		for (const authorization of ['Bearer wrong', 'ek-secret', ''])
			expect((await sendAs({ ...question, headers: { ...question.headers, authorization } }, path)).status).toBe(403);
		expect(await executionsOf(workflow)).toHaveLength(before);

		// Saving the endpoint in Dify sends nothing at all.
		const saving = difyAsks('ek-register-ok');
		expect(saving.body).toBeUndefined();
		expect(await sendAs(saving, path)).toEqual({ status: 200, json: { records: [] } });

		const everything = await sendAs(difyAsks('ek-console-test-ok'), path);
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

		// Dify repeats a call that it found slow: the answer is the same.
		const [first, ...again] = [
			await sendAs(question, path),
			await sendAs(question, path),
			await sendAs(question, path),
			await sendAs(question, path),
		];
		for (const answer of again) expect(answer).toEqual(first);
		for (const { score } of (first.json as Records).records) expect(score).toBeGreaterThanOrEqual(0.5);

		const retrieval = async (change: Record<string, unknown>) => {
			const { status, json } = await sendAs(asking(difyAsks('ek-console-test-ok'), change), path);
			expect(status).toBe(200);
			return (json as Records).records.map(({ title }) => title).sort();
		};
		expect(await retrieval({ retrieval_setting: { top_k: 1, score_threshold: 0 } })).toHaveLength(1);
		expect(await retrieval({ retrieval_setting: { top_k: null, score_threshold: 0 } })).toHaveLength(3);
		expect(await retrieval({ retrieval_setting: { top_k: 4, score_threshold: 1.1 } })).toEqual([]);
		expect(await retrieval({ query: ' ' })).toEqual([]);
		const where = (logical_operator: string, ...conditions: Array<[string, string, string | null]>) => ({
			metadata_condition: {
				logical_operator,
				conditions: conditions.map(([name, comparison_operator, value]) => ({ name, comparison_operator, value })),
			},
		});
		expect(await retrieval(where('and', ['title', 'is', 'llamas.md']))).toEqual(['llamas.md']);
		expect(await retrieval(where('or', ['title', 'start with', 'ret'], ['title', 'contains', 'hours']))).toEqual([
			'opening-hours.md',
			'returns.md',
		]);
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
		const ping = difyAsks('ax-register');
		const wrong = { ...ping, headers: { ...ping.headers, Authorization: 'Bearer wrong' } };
		expect((await sendAs(wrong, path)).status).toBe(403);
		expect(await executionsOf(workflow)).toEqual([]);
		expect(await sendAs(ping, path)).toEqual({ status: 200, json: { result: 'pong' } });

		const input = difyAsks('ax-mod-ok');
		const fine = await sendAs(input, path);
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
		const flagged = await sendAs(asking(input, { params: { ...params, query: 'You idiot!' } }), path);
		expect(flagged.json).toMatchObject({
			flagged: true,
			action: 'direct_output',
			preset_response: 'I cannot talk about this.',
		});
		// A text generator has no question: what is asked stands in its form.
		const form = difyAsks('ax-comp-ok');
		const generator = (JSON.parse(form.body!) as { params: { inputs: object } }).params;
		expect((await sendAs(form, path)).json).toMatchObject({ flagged: false, inputs: generator.inputs, query: '' });
		const inForm = { params: { ...generator, inputs: { query: 'You idiot!' } } };
		expect((await sendAs(asking(form, inForm), path)).json).toMatchObject({ flagged: true, action: 'direct_output' });

		const output = difyAsks('ax-mod-ok-answer');
		const { text } = (JSON.parse(output.body!) as { params: { text: string } }).params;
		expect(await sendAs(output, path)).toEqual({
			status: 200,
			json: { flagged: false, action: 'direct_output', preset_response: '', text },
		});
		const leak = await sendAs(asking(output, { params: { text: 'The password is 1234.' } }), path);
		expect(leak.json).toMatchObject({ flagged: true, action: 'direct_output' });

		const tool = difyAsks('ax-tool-ok');
		expect(await sendAs(tool, path)).toEqual({ status: 200, json: { result: 'Nothing is known for extd.' } });
		const asked = (JSON.parse(tool.body!) as { params: object }).params;
		expect((await sendAs(asking(tool, { params: { ...asked, query: 'Are there any A-100?' } }), path)).json).toEqual({
			result: 'A-100: 12 pieces in stock',
		});
		expect((await sendAs(asking(tool, { point: 'app.other' }), path)).status).toBe(400);

		// The check fails closed. n8n 2.41 answers 500, 2.20 with 200 and no byte: Dify takes only JSON with status 200.
		await server.close();
		const down = await sendAs(input, path);
		expect(down.status === 200 ? down.json : down.status).toBe(down.status === 200 ? '' : 500);
		await until(
			async () => await executionsOf(workflow),
			([latest]) => latest?.status === 'error',
		);
		return 'pong; fine, flagged, and a text for the variable';
	},
};

describeExamples(DIFY_EXAMPLES, RUNS);
