/**
 * Stored workflows of users keep working: every name, type and option of 0.1.0 exists in the current nodes of the same
 * version. The fixtures are described in test/fixtures/README.md.
 */
import type {
	INodeProperties,
	INodePropertyCollection,
	INodePropertyOptions,
	INodeType,
} from 'n8n-workflow';

import type { Workflow, WorkflowNode } from '../../scripts/lib/types';
import { fs, path, process } from '../support/node';
import { parameterProblems, type Description } from '../support/workflow-check';

const ROOT = process.cwd();
const FOLDER = path.join(ROOT, 'test', 'fixtures', 'workflows-0.1.0');
const PREFIX = 'n8n-nodes-local-llama.';
const FIELDS = 'fields.json';

const read = <T>(file: string) => JSON.parse(fs.readFileSync(path.join(FOLDER, file), 'utf8')) as T;
const files = fs
	.readdirSync(FOLDER)
	.filter((file) => file !== FIELDS && !file.startsWith('requests'));
const nodesOf = (file: string) =>
	read<Workflow>(file).nodes.filter(({ type }) => type.startsWith(PREFIX));

const descriptions = new Map<string, Description>();

beforeAll(async () => {
	const folders = fs
		.readdirSync(path.join(ROOT, 'nodes'))
		.filter((folder) => fs.existsSync(path.join(ROOT, 'nodes', folder, `${folder}.node.ts`)));
	for (const folder of folders) {
		const file = path.join(ROOT, 'nodes', folder, `${folder}.node`);
		const { [folder]: Node } = (await import(file)) as Record<string, new () => INodeType>;
		const { description } = new Node!();
		descriptions.set(description.name, description);
	}
});

/** The node of a type; an agent's tool is the same node under another name. */
const descriptionOf = (type: string): Description | undefined =>
	descriptions.get(type.slice(PREFIX.length)) ??
	descriptions.get(type.slice(PREFIX.length).replace(/Tool$/, ''));

function problemsOf(node: WorkflowNode): string[] {
	const description = descriptionOf(node.type);
	if (description === undefined)
		return [`"${node.name}" is of the type ${node.type}, which is gone`];
	if (![description.version].flat().includes(node.typeVersion))
		return [`"${node.name}" has the version ${node.typeVersion}, which is gone`];
	return parameterProblems(node, description).map((problem) => `"${node.name}" ${problem}`);
}

/** A field of 0.1.0: its type and options. */
interface Field {
	type: string;
	options?: unknown[];
}

/** Fields by path, such as `options.temperature`; several if a name has more than one variant. */
function fieldsOf(properties: readonly INodeProperties[], at = ''): Record<string, Field[]> {
	const found: Record<string, Field[]> = {};
	const add = (name: string, fields: Field[]) =>
		(found[name] = [...(found[name] ?? []), ...fields]);
	for (const { name, type, options = [] } of properties) {
		const place = at + name;
		const choices = (options as INodePropertyOptions[]).map(({ value }) => value);
		add(place, [{ type, ...(/options$/i.test(type) ? { options: choices } : {}) }]);
		const inner =
			type === 'collection'
				? [fieldsOf(options as INodeProperties[], `${place}.`)]
				: type === 'fixedCollection'
					? (options as INodePropertyCollection[]).map((group) =>
							fieldsOf(group.values, `${place}.${group.name}.`),
						)
					: [];
		for (const fields of inner)
			for (const [path_, more] of Object.entries(fields)) add(path_, more);
	}
	return found;
}

const holds = (field: Field, before: Field) =>
	field.type === before.type &&
	(before.options ?? []).every((choice) => field.options?.includes(choice));

describe('workflows of 0.1.0', () => {
	it('are the 33 examples, and one with every option', () => {
		expect(files).toHaveLength(34);
		const types = files
			.flatMap(nodesOf)
			.map(({ type }) => type.slice(PREFIX.length).replace(/Tool$/, ''));
		expect(new Set(types).size).toBeGreaterThan(10);
	});

	it.each(files)('%s reads the same', (file) => {
		const problems = nodesOf(file).flatMap(problemsOf);
		expect(problems).toEqual([]);
	});

	it('the check finds what is gone: an option, a choice, a node', () => {
		const [node] = nodesOf('every-option.json');
		const changed = (change: Partial<WorkflowNode>) =>
			problemsOf({ ...node!, ...change }).join('\n');
		const { parameters } = node!;
		expect(changed({ parameters: { ...parameters, options: { heat: 1 } } })).toContain(
			'no parameter "options.heat"',
		);
		expect(changed({ parameters: { ...parameters, thinking: 'deeply' } })).toContain(
			'does not know "deeply"',
		);
		expect(changed({ type: `${PREFIX}localLama` })).toContain('which is gone');
		expect(changed({ typeVersion: 0.9 })).toContain('which is gone');
	});

	const before = read<Record<string, Record<string, Field[]>>>(FIELDS);

	it.each(Object.keys(before))(
		'every field of %s is there, of the same type and with the same choices',
		(name) => {
			const today = fieldsOf(descriptions.get(name)!.properties);
			const gone = Object.entries(before[name]!).flatMap(([place, fields]) =>
				fields
					.filter((field) => !today[place]?.some((one) => holds(one, field)))
					.map(({ type }) => `${place}: ${type}`),
			);
			expect(gone).toEqual([]);
		},
	);

	it('the workflow with every option sets every field of both nodes', () => {
		const placesIn = (values: object, at = ''): string[] =>
			Object.entries(values).flatMap(([name, value]) => {
				const place = /^\d+$/.test(name) ? at.slice(0, -1) : at + name;
				const isObject = typeof value === 'object' && value !== null && !('__rl' in value);
				return [place, ...(isObject ? placesIn(value as object, `${place}.`) : [])];
			});
		for (const [name, fields] of Object.entries(before)) {
			const set = nodesOf('every-option.json')
				.filter(({ type }) => type === PREFIX + name)
				.flatMap(({ parameters }) => placesIn(parameters));
			const unset = Object.entries(fields).filter(
				([place, [field]]) => !['notice', 'hidden'].includes(field!.type) && !set.includes(place),
			);
			expect({ name, unset: unset.map(([place]) => place) }).toEqual({ name, unset: [] });
		}
	});
});
