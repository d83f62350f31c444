/** The example workflows in which n8n and Dify work together. */
import { startLlamaServerSim } from '../servers/llama-server';
import { withBody, difyRequest, sendRequest } from './support/dify-requests';
import { DIFY_EXAMPLES } from '../e2e/support/examples';
import {
	activated,
	after,
	describeExamples,
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
};

describeExamples(DIFY_EXAMPLES, RUNS);
