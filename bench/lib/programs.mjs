/** The benchmark programs and their options. */

/**
 * @typedef {object} Program
 * @property {string} name also of its file in `bench/`
 * @property {string} what it measures and where the result is written
 * @property {Record<string, string>} options of the command line, with descriptions
 */

/** @type {Program[]} */
export const PROGRAMS = [
	{
		name: 'chat',
		what: "Local Chat Model beside n8n's OpenAI Chat Model, in turn; writes bench/results/chat.md",
		options: {
			'--quick': 'one round; writes nothing',
			'--only streams|tools': 'one of the two; writes nothing',
			'--against <folder>': 'another clone that is built, instead of that node; writes nothing',
			'--rounds 6': 'how many rounds; with --against, each with new processes',
			'--cells 20x1,200x16': 'only these tokens/s and streams; writes nothing',
		},
	},
	{
		name: 'embeddings',
		what: "3,000 chunks into a vector store, beside n8n's Embeddings OpenAI; writes bench/results/embeddings.md",
		options: {
			'--quick': 'a tenth, one round; writes nothing',
			'--against <folder>': 'another clone that is built takes part, too; writes nothing',
			'--rounds 3': 'how many rounds',
			'--model <file>':
				'a GGUF of an embedding model. Default: one of a single layer, of random weights',
		},
	},
	{
		name: 'priorities',
		what: 'the first token of a chat beside a batch on one server; writes bench/results/priorities.md',
		options: {
			'--quick': 'a fifth; writes nothing',
			'--against <folder>': 'another clone beside it, in the same run',
		},
	},
	{
		name: 'items',
		what: "500 items through Local Llama beside n8n's HTTP Request and Basic LLM Chain; writes bench/results/items.md",
		options: {
			'--quick': 'fifty items, one round; writes nothing',
			'--against <folder>': 'another clone that is built takes part, too; writes nothing',
			'--rounds 9': 'how many rounds',
		},
	},
];

/**
 * @param {Program[]} programs
 * @returns {string} the usage text
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
