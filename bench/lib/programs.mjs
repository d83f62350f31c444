/** The benchmark programs and their options. */

/**
 * @typedef {object} Program
 * @property {string} name also of its file in `bench/`
 * @property {string} what it measures and where that is written
 * @property {Record<string, string>} options as they are typed, and what each does
 */

/** @type {Program[]} */
export const PROGRAMS = [
	{
		name: 'chat',
		what: "the chat model against n8n's OpenAI Chat Model and a bare reader; writes bench/results/chat.md, or bench/results/chat-paired.md of two builds",
		options: {
			'--quick': 'two rounds in place of seven, of shorter streams',
			'--only streams|tools': 'one of the two; writes nothing',
			'--against <folder>':
				'in place of all that: this clone and another that is built, in turn, at 20 to 200 tokens/s',
			'--rounds 6': 'with --against: how many rounds',
			'--cells 20x1,200x16': 'with --against: only these tokens/s and streams; writes nothing',
		},
	},
	{
		name: 'embeddings',
		what: '3,000 chunks into a vector store; writes bench/results/embeddings.md',
		options: { '--quick': 'a tenth, one round; writes nothing', '--rounds 3': 'how many rounds' },
	},
	{
		name: 'models',
		what: 'a run of the agent, many short items, classifying, an agent with memory, two servers, tracing; writes bench/results/models.md',
		options: {
			'--quick': 'a tenth of the items, one round; writes nothing',
			'--rounds 3': 'how many rounds',
			'--only agent,instant,items,slots,labels,memory,servers,tracing':
				'some of them; the tables of the others stay',
			'--share 2': 'half of the items',
		},
	},
	{
		name: 'dify',
		what: 'the Dify nodes against a simulated Dify; writes bench/results/dify.md',
		options: {
			'--quick': 'a tenth',
			'--second 1000': 'milliseconds of a simulated second',
			'--workflows': 'only runs of workflows, in place of those in the results',
			'--knowledge': 'only documents and their sync, in place of those in the results',
		},
	},
	{
		name: 'shared',
		what: 'the first token of a chat beside a batch on one server; writes bench/results/shared.md, with --workers 3 bench/results/shared-3-workers.md',
		options: {
			'--quick': 'a fifth; writes nothing',
			'--against <folder>': 'another clone beside it, in the same run',
			'--workers 3': 'the batch in so many processes, as in queue mode',
		},
	},
	{
		name: 'tools',
		what: 'the questions of the tool test with 10, 40 and 120 tools, with and without Tools at Once; writes bench/results/tools.md',
		options: { '--quick': 'only 10 tools; writes nothing' },
	},
	{
		name: 'decisions',
		what: 'fifty mails by a decision model and by letters; writes bench/results/decisions.md',
		options: { '--quick': 'five mails; writes nothing' },
	},
	{
		name: 'scale',
		what: "streamed chats in n8n's queue mode; writes the table of docs/scale.md and of the Chinese page",
		options: { '--quick': 'a tenth; writes nothing', '--chats 300': 'how many in each row' },
	},
	{
		name: 'soak',
		what: 'hours of mixed load with faults, and whether anything grows; writes bench/results/soak.md',
		options: {
			'--hours 8': 'how long',
			'--minutes 30': 'how long, at least 3',
			'--seed 1': 'another order of the runs',
			'--at-once 4': 'runs at the same time',
			'--faults 0.2': 'the share of runs with a fault',
			'--control': "the same load with n8n's own nodes",
			'--snapshots <folder>': 'heap snapshots of the first and the last measurement',
		},
	},
	{
		name: 'compare',
		what: "n8n's own chat models in the same situations; writes bench/results/compare.md",
		options: {
			'--quick': 'without those that take minutes; writes nothing',
			'--only <text>': 'those whose title holds the text; writes nothing',
		},
	},
];

/**
 * @param {Program[]} programs
 * @returns {string} what to type
 */
export const usage = (programs) =>
	[
		'npm run bench -- <name> [options]',
		...programs.flatMap(({ name, what, options }) => [
			'',
			`  ${name.padEnd(12)}${what}`,
			...Object.entries(options).map(([option, does]) => `    ${option.padEnd(24)} ${does}`),
		]),
	].join('\n');
