/** The example workflows in which a model rates answers: which model is the best, and how reliable the ratings are. */
import { reply, startLlamaServerSim, type LlamaServerSim } from '../servers/llama-server';
import { example, JUDGE_EXAMPLES, type Wiring } from '../e2e/support/examples';
import type { Execution, Workflow } from '../e2e/support/playground';
import {
	after,
	describeExamples,
	itemsOf,
	localCredential,
	theN8n,
} from '../e2e/support/run-examples';
import { until } from '../e2e/support/until';

const [RIGHT, PARTLY, WRONG, NONE] = ['A', 'B', 'C', 'What a lovely question!'];

interface Asked {
	model: string;
	messages: Array<{ content: string }>;
}

/**
 * A router with two chat models, a judge, and an embedding model.
 *
 * @param mark the judge's reply to an answer
 */
async function judgedServer(mark: (answer: string) => string): Promise<LlamaServerSim> {
	const models = [
		{ id: 'large' },
		{ id: 'small' },
		{ id: 'the-judge' },
		{ id: 'vectors', embeddings: true },
	];
	const sim = await startLlamaServerSim({ profile: 'router', models });
	after(async () => await sim.close());
	const answer = ({ body }: { body?: unknown }) => {
		const { model, messages } = body as Asked;
		const { content } = messages.at(-1)!;
		const marked = /Answer to mark: ([^]*)$/.exec(content)?.[1];
		if (marked !== undefined) return reply.text(model === 'the-judge' ? mark(marked) : NONE);
		if (model === 'small' && content.includes('train'))
			return reply.error(400, { error: { message: 'Too long' } });
		return reply.text(`${model} says: ${content}`);
	};
	sim.script(...Array.from({ length: 200 }, () => answer));
	return sim;
}

const wiringOf = async (
	sim: LlamaServerSim,
	model: Wiring['model'],
	change?: Wiring['change'],
): Promise<Wiring> => ({
	local: await localCredential(sim),
	model,
	change,
});

const ranFrom = async (
	workflow: Workflow & { id: string },
	trigger: string,
): Promise<Execution> => {
	const execution = await theN8n().waitForExecution(await theN8n().runWorkflow(workflow, trigger));
	expect(execution.data.resultData.error).toBeUndefined();
	return execution;
};

const created = async (name: string, wiring: Wiring) =>
	await theN8n().createWorkflow(example(name, wiring));

const asAnswered = (answer: string) =>
	answer.startsWith('large')
		? RIGHT
		: answer.includes('fruit')
			? PARTLY
			: answer.includes('water')
				? NONE
				: WRONG;

const RUNS: Record<string, () => Promise<string>> = {
	'choose-a-model': async () => {
		const sim = await judgedServer(asAnswered);
		const workflow = await created('choose-a-model', await wiringOf(sim, { Judge: 'the-judge' }));
		// The samples exist only once, even if they are created again.
		for (let times = 0; times < 2; times++) await ranFrom(workflow, 'Make the questions');
		const execution = await ranFrom(workflow, 'Start');
		const none = { partlyRight: 0, wrong: 0, notJudged: 0, noAnswer: 0 };
		const tokensPerSecond = expect.any(Number) as number;
		expect(itemsOf(execution, 'Table of marks')).toEqual([
			{ model: 'large', mark: 100, ...none, right: 4, tokensPerSecond },
			// Two of four have a mark: the train has no answer, and the judge's reply about the water is not a mark.
			{
				model: 'small',
				mark: 25,
				right: 0,
				partlyRight: 1,
				wrong: 1,
				notJudged: 1,
				noAnswer: 1,
				tokensPerSecond,
			},
			{
				model: 'the-judge',
				mark: 16.7,
				...none,
				right: 0,
				partlyRight: 1,
				wrong: 2,
				notJudged: 1,
				tokensPerSecond,
			},
		]);
		expect(itemsOf(execution, 'Keep the answers')).toHaveLength(11);
		// One model at a time: the answers are asked for one after another.
		const models = sim.requests.flatMap(
			({ body }) => (body as Partial<Asked> | undefined)?.model ?? [],
		);
		const turns = models.filter((model, index) => model !== models[index - 1]);
		expect(turns).toEqual(['large', 'small', 'the-judge']);
		return JSON.stringify(
			itemsOf(execution, 'Table of marks').map(({ model, mark }) => [model, mark]),
		);
	},

	'choose-a-model-evaluation': async () => {
		const sim = await judgedServer(asAnswered);
		const first = await created('choose-a-model', await wiringOf(sim, { Judge: 'the-judge' }));
		const made = await ranFrom(first, 'Make the questions');
		const dataTableId = { __rl: true, mode: 'id', value: itemsOf(made, 'Question table')[0]!.id };
		const workflow = await created(
			'choose-a-model-evaluation',
			await wiringOf(
				sim,
				{
					'Model A': 'large',
					'Model B': 'the-judge',
					'Judge of A': 'the-judge',
					'Judge of B': 'the-judge',
				},
				{ 'When fetching a dataset row': { dataTableId }, 'Keep the answers': { dataTableId } },
			),
		);
		const runs = `/rest/workflows/${workflow.id}/test-runs`;
		await theN8n().request('POST', `${runs}/new`, {});
		// n8n 2.20 does not answer which run it began.
		const [run] = await until(
			async () =>
				await theN8n().request<Array<{ id: string; status: string; metrics: object }>>('GET', runs),
			([only]) => only !== undefined && !['new', 'running'].includes(only.status),
		);
		// One of the four questions has no mark of B, so it counts for neither.
		const metrics = { 'Model A': 1, 'Model B': expect.closeTo(0.5 / 3) as number };
		expect(run).toMatchObject({ status: 'completed', metrics });
		const cases = await theN8n().request<Array<{ status: string }>>(
			'GET',
			`${runs}/${run!.id}/test-cases`,
		);
		expect(cases.map(({ status }) => status).sort()).toEqual([
			'error',
			'success',
			'success',
			'success',
		]);
		return JSON.stringify(run!.metrics);
	},

	'judge-my-judge': async () => {
		// More lenient than the person in two, no valid mark in one.
		const sim = await judgedServer((answer) => {
			if (/Rivers/.test(answer)) return NONE;
			return /Lyon/.test(answer) ? WRONG : /and the pear/.test(answer) ? PARTLY : RIGHT;
		});
		const workflow = await created('judge-my-judge', await wiringOf(sim, { Judge: 'the-judge' }));
		for (let times = 0; times < 2; times++) await ranFrom(workflow, 'Make a sample');
		const execution = await ranFrom(workflow, 'Start');
		const [agreement] = itemsOf(execution, 'Agreement');
		// Agreement expected by chance: (4 x 6 + 3 x 1 + 1 x 1) / (8 x 8).
		expect(agreement).toEqual({
			answers: 9,
			notJudged: 1,
			agreement: 75,
			byChance: 44,
			kinderThanYou: 25,
			stricterThanYou: 0,
		});
		const row = { judgeRight: 0, judgePartlyRight: 0, judgeWrong: 0, notJudged: 0 };
		expect(itemsOf(execution, 'By mark')).toEqual([
			{ ...row, person: 'right', judgeRight: 4, agreement: 100 },
			{ ...row, person: 'partly right', judgeRight: 2, judgePartlyRight: 1, agreement: 33 },
			{ ...row, person: 'wrong', judgeWrong: 1, notJudged: 1, agreement: 50 },
		]);
		return JSON.stringify(agreement);
	},
};

describeExamples(JUDGE_EXAMPLES, RUNS);
