/**
 * The set *Builder*: a system prompt and forty tools, together as large as the first request of n8n's AI Assistant
 * (docs/n8n-assistant.md). Names and texts are our own, and most of them are made from tables. Pure.
 */
import type { ToolDefinition } from '../../chat/types';
import type { JsonRecord } from '../../values';
import type { ToolCase, ToolSet } from './cases';

type Verb = keyof typeof VERBS;

/** What can be done with each thing: a tool for each. */
const TOOLS_OF: Record<string, string> = {
	workflow: 'list read build update delete run activate deactivate',
	execution: 'list read retry stop delete',
	credential: 'list read test delete',
	table: 'list read define update delete add find clear',
	node: 'search read',
	template: 'search read',
	folder: 'list create delete',
	tag: 'list create delete',
	skill: 'list load',
	page: 'search read',
	project: 'list',
};

/** What a tool does, its fields that are required, and those that are not. `$` is the thing. */
const VERBS = {
	list: ['Lists every $ with its name and state', '', 'state limit'],
	search: ['Searches for a $ by words', 'query', 'limit'],
	read: ['Reads one $ with all its parts', 'name', ''],
	load: ['Loads the text of one $', 'name', ''],
	build: ['Makes a new $ from code', 'name code', ''],
	define: ['Makes a new $ with columns', 'name columns', ''],
	create: ['Makes a new, empty $', 'name', ''],
	update: ['Changes parts of one $', 'name changes', ''],
	delete: ['Deletes one $ for good', 'name', ''],
	run: ['Starts one $ now and waits for its end', 'name', 'input'],
	activate: ['Switches one $ on', 'name', ''],
	deactivate: ['Switches one $ off', 'name', ''],
	retry: ['Starts one $ again that has failed', 'name', 'input'],
	stop: ['Stops one $ that runs', 'name', ''],
	test: ['Tests whether one $ works', 'name', ''],
	add: ['Adds rows to one $', 'name rows', ''],
	find: ['Finds rows of one $', 'name query', 'limit'],
	clear: ['Removes all rows of one $', 'name', ''],
} as const;

const FIELDS: Record<string, JsonRecord> = {
	name: text('The exact name, as the user or an earlier result writes it, without quotation marks'),
	query: text('The words to look for, in the language of the user'),
	code: text('The whole code, letter by letter, with its line breaks'),
	state: { ...text('Only those in this state'), enum: ['active', 'inactive', 'failed'] },
	limit: { type: 'integer', description: 'The most results; 100 if it is left out' },
	input: { type: 'object', description: 'Values by name; none if it is left out' },
	columns: listOf({
		name: text('Name of the column'),
		type: { ...text('Type of its values'), enum: ['text', 'number', 'date', 'boolean'] },
	}),
	rows: listOf({ column: text('Name of the column'), value: text('The value as text') }),
	changes: listOf({ path: text('What to change, as a path with dots'), value: text('New value') }),
};

/** Stands in the description of every tool, as long as those of the Assistant are. */
const CARE = [
	'Call `TOOL` only if the user wants this to happen now, and not to show how it could be done.',
	'A $ is looked for in the project of the user; one of another project is never read or changed.',
	'The result is an object with `ok`: true and the data, or with `error`, a sentence that says what is wrong and often which $ was meant.',
	'After an `error`, mend the arguments of `TOOL` as the sentence says and call it again; after a second one, tell the user.',
	'Large results are cut after one hundred entries and end with `more`: true: then narrow the request down, and do not ask for all of it.',
	'Two calls of `TOOL` for two different names may stand in one answer; they run one after the other, in their order.',
	'A $ that the user may not see gives the same `error` as one that does not exist, so that nobody learns the names of others: say then that it was not found.',
	'Passwords, keys and tokens are never part of the arguments or of the result of a $.',
];

/** Stands in the system prompt for every tool. */
const GUIDANCE = [
	'It belongs to everything about a $, together with the other tools whose names begin with $.',
	'Before `TOOL`, look into the conversation: what an earlier result says about the $ is still true and is not asked for again.',
	'The name of the $ goes into the arguments as the user writes it, with upper and lower case, spaces and digits; a name that is only guessed does harm.',
	'If the user names more than one $, each needs a call of its own.',
	'When `TOOL` has succeeded, say in one sentence what has happened to the $, without the names of tools and without JSON.',
	'A user who only asks what `TOOL` would do gets an explanation in words, and no call.',
];

const RULES = `You are the assistant of a server for automation. You answer questions about it, and you change it with tools.

- Answer in words, without any tool, to greetings, thanks, and questions about yourself, your tools and automation in general.
- For everything that is on the server, use the tools. Never say from memory what is there.
- Fill in the required arguments. Leave an optional argument out unless the user names a value for it.
- Code that the user hands over goes into the arguments letter by letter. Never improve it.
- Before workflow_build is called for the first time in a conversation, load the skill "workflow-code" with skill_load. Call skill_load alone, and wait for its result.
- If a result is an error that names what is right, call the tool again with that at once, without asking the user.
- Calls are made as calls of tools, never written into the text.`;

const CODE = `import { workflow, schedule, set } from 'builder';

export default workflow('Morning greeting')
  .add(schedule({ hour: 7, days: ["Monday", "Friday"] }))
  .add(set({ greeting: 'Good morning' }));`;

const CASES: readonly ToolCase[] = [
	{
		case: 'a plain answer',
		question: 'Thank you, that is all for today. Say goodbye to me in one short sentence.',
		calls: [],
	},
	{
		case: 'a question about a tool',
		question:
			'What would your tool workflow_delete do, and what is its danger? Explain it in one sentence, and call nothing.',
		calls: [],
		mayQuote: true,
	},
	{
		case: 'a list',
		question: 'Which of my workflows are active?',
		calls: [{ name: 'workflow_list', arguments: { state: 'active' } }],
	},
	{
		case: 'two calls at once',
		question:
			'Deactivate the workflows "Old import" and "Test 7". Do both at once, with two calls.',
		calls: ['Old import', 'Test 7'].map((name) => ({
			name: 'workflow_deactivate',
			arguments: { name },
		})),
	},
	{
		case: 'nested arguments',
		question:
			'Make the table "Contacts" with the column "email" of the type text, and after it the column "age" of the type number.',
		calls: [
			{
				name: 'table_define',
				arguments: {
					name: 'Contacts',
					columns: [
						{ name: 'email', type: 'text' },
						{ name: 'age', type: 'number' },
					],
				},
			},
		],
	},
	{
		case: 'an error to recover from',
		question: 'Run the workflow "Invoices".',
		calls: [{ name: 'workflow_run', arguments: { name: 'Invoices' } }],
		then: {
			result: '{"error": "There is no workflow \\"Invoices\\". It is called \\"Invoices 2026\\"."}',
			calls: [{ name: 'workflow_run', arguments: { name: 'Invoices 2026' } }],
		},
	},
	{
		case: 'a skill first, then a workflow',
		question: `Build the workflow "Morning greeting" from exactly this code:\n\n\`\`\`\n${CODE}\n\`\`\``,
		calls: [{ name: 'skill_load', arguments: { name: 'workflow-code' } }],
		then: {
			result:
				'{"ok": true, "text": "Code of the user is handed to workflow_build as it stands between the fences, with the name of the workflow."}',
			calls: [{ name: 'workflow_build', arguments: { name: 'Morning greeting', code: CODE } }],
		},
	},
];

/** Made when it is needed: it is 80 kB of text. */
export function builderSet(): ToolSet {
	const all = Object.entries(TOOLS_OF).flatMap(([thing, verbs]) =>
		verbs.split(' ').map((verb) => ({ thing, verb: verb as Verb, name: `${thing}_${verb}` })),
	);
	const sections = all.map((tool) => `## ${tool.name}\n\n${written(tool, GUIDANCE)}`);
	return {
		system: [RULES, ...sections].join('\n\n'),
		tools: all.map((tool) => ({
			name: tool.name,
			description: written(tool, CARE),
			parameters: parametersOf(tool.verb),
		})),
		cases: CASES,
	};
}

interface Tool {
	thing: string;
	verb: Verb;
	name: string;
}

/** What the tool does, and these sentences about it. */
function written({ thing, verb, name }: Tool, sentences: readonly string[]): string {
	const [does] = VERBS[verb];
	return [`${does}.`, ...sentences].join(' ').replaceAll('$', thing).replaceAll('TOOL', name);
}

function parametersOf(verb: Verb): ToolDefinition['parameters'] {
	const [, required, others] = VERBS[verb];
	const names = `${required} ${others}`.split(' ').filter(Boolean);
	return {
		type: 'object',
		properties: Object.fromEntries(names.map((name) => [name, FIELDS[name]])),
		required: required.split(' ').filter(Boolean),
	};
}

function text(description: string): JsonRecord {
	return { type: 'string', description };
}

function listOf(properties: JsonRecord): JsonRecord {
	const items = { type: 'object', properties, required: Object.keys(properties) };
	return { type: 'array', items };
}
