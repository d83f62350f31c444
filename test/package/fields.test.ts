/**
 * The official lint checks only fields that are written as one object literal. Many fields are built by functions, so
 * here it checks the finished fields that n8n gets, written as source text.
 */
import type { INodeProperties } from 'n8n-workflow';

import * as childProcess from 'node:child_process';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { loadCredentials, loadNode, NODES } from './sources';

const MODULES = path.join(process.cwd(), 'node_modules');
const PLUGIN = path.join(MODULES, 'eslint-plugin-n8n-nodes-base', 'dist', 'index.js');

const OFF = [
	// Rules about a field's source text, which do not apply to fields that are composed of others:
	// A field that one operation requires and another does not.
	'n8n-nodes-base/node-param-required-false',
	// Specific options come after those that several operations have.
	'n8n-nodes-base/node-param-collection-type-unsorted-items',
	// The first column of a table identifies the row.
	'n8n-nodes-base/node-param-fixed-collection-type-unsorted-items',
	// The rule mistakes a field with "Enable" and "Disable" for a list of operations.
	'n8n-nodes-base/node-param-operation-option-without-action',
	// n8n's configuration has it off, too.
	'n8n-nodes-base/node-param-type-options-max-value-present',
];

/** Lists with a deliberate order (common ones first) or names (of models and headers). */
const TABLE_FIELDS = new Set(['resource', 'operation', 'textFormat', 'authentication']);

interface LintReport {
	diagnostics: Array<{ code: string; message: string; labels: [{ span: { line: number } }] }>;
}

/** The rules of the plugin, without the rest of the official lint: it takes five times as long to start. */
async function lintSource(source: string): Promise<LintReport> {
	const { configs } = (await import(PLUGIN)) as {
		configs: { nodes: { rules: Record<string, string> } };
	};
	const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'fields-'));
	try {
		const config = {
			categories: { correctness: 'off' },
			jsPlugins: [PLUGIN],
			rules: { ...configs.nodes.rules, ...Object.fromEntries(OFF.map((rule) => [rule, 'off'])) },
		};
		fs.writeFileSync(path.join(folder, '.oxlintrc.json'), JSON.stringify(config));
		fs.writeFileSync(path.join(folder, 'fields.ts'), source);
		const args = ['-c', '.oxlintrc.json', '--format', 'json', '--no-ignore', 'fields.ts'];
		const oxlint = path.join(MODULES, 'oxlint', 'bin', 'oxlint');
		const { stdout, stderr } = childProcess.spawnSync(process.execPath, [oxlint, ...args], {
			cwd: folder,
			encoding: 'utf8',
			maxBuffer: 2 ** 27,
		});
		if (stdout === '') throw new Error(stderr);
		return JSON.parse(stdout) as LintReport;
	} finally {
		fs.rmSync(folder, { recursive: true });
	}
}

const allNodes = async () =>
	await Promise.all(
		NODES.map(async (name) => ({
			name,
			properties: (await loadNode(name)).description.properties,
		})),
	);

async function finishedFields(): Promise<string> {
	const written: string[] = [];
	for (const { name, properties } of [...(await allNodes()), ...(await loadCredentials())])
		written.push(`export const ${name}: INodeProperties[] = ${literal(properties)};\n`);
	return `import type { INodeProperties } from 'n8n-workflow';\n\n${written.join('\n')}`;
}

/** A field as source text in the style that the rules expect: unquoted names, single quotes, indentation. */
function literal(value: unknown): string {
	return JSON.stringify(value, withoutTables, '\t').replace(
		/"((?:[^"\\]|\\.)*)"(:?)/g,
		(_, text: string, colon: string) =>
			colon !== '' && /^[a-z]\w*$/i.test(text)
				? `${text}:`
				: `'${text.replace(/\\"/g, '"').replace(/'/g, "\\'")}'${colon}`,
	);
}

function withoutTables(_: string, value: unknown): unknown {
	if (!Array.isArray(value)) return value;
	return value.filter((each: { name?: string } | null) => !TABLE_FIELDS.has(each?.name ?? ''));
}

test('the finished fields of every node pass the official lint', async () => {
	expect(NODES).not.toEqual([]);
	const source = await finishedFields();
	const { diagnostics } = await lintSource(source);
	const lines = source.split('\n');
	const found = diagnostics.map(
		({ code, message, labels: [{ span }] }) =>
			`${code}: ${message} ${lines.slice(span.line - 3, span.line + 3).join(' ')}`,
	);
	expect(found).toEqual([]);
});

test('timeouts are among the first options of every node and operation', async () => {
	const common = [
		'Input Binary Fields',
		'Temperature',
		'Maximum Tokens',
		'Top P',
		'Context Size',
		'Stop Sequences',
	];
	const lists = (await allNodes()).flatMap(({ name, properties }) =>
		properties
			.filter((field) => field.name === 'options')
			.map(({ options = [], displayOptions }) => ({
				of: `${name} ${JSON.stringify(displayOptions?.show ?? {})}`,
				labels: (options as INodeProperties[]).map(({ displayName }) => displayName),
			})),
	);
	const late = lists.flatMap(({ of, labels }) => {
		const others = labels.filter((label) => !common.includes(label));
		const timeouts = others.filter((label) => /Timeout \(Seconds\)$/.test(label));
		const first = others.slice(0, timeouts.length);
		return first.join() === timeouts.join() ? [] : [`${of}: ${labels.join(', ')}`];
	});
	expect(late).toEqual([]);
	expect(lists.filter(({ labels }) => labels.join().includes('Timeout')).length).toBeGreaterThan(
		15,
	);
});

test('actions are ordered by use: the main ones first, deletions last', async () => {
	for (const { name, properties } of await allNodes()) {
		const listsOf = (field: string) => properties.filter((one) => one.name === field);
		const valuesOf = ({ options = [] }: INodeProperties) =>
			options.map((option) => 'value' in option && option.value);
		const [first] = [...listsOf('resource'), ...listsOf('operation')];
		if (first !== undefined)
			expect({ name, first: valuesOf(first)[0] }).toEqual({ name, first: first.default });
		for (const list of listsOf('operation')) {
			const values = valuesOf(list);
			expect({ name, offered: values.includes(list.default as string) }).toEqual({
				name,
				offered: true,
			});
			const deletes = values.findIndex((value) => /^delete/.test(String(value)));
			expect({ name, values, deletes: [-1, values.length - 1].includes(deletes) }).toMatchObject({
				deletes: true,
			});
		}
		if (name === 'DifyKnowledge')
			expect(
				listsOf('operation')
					.map((list) => valuesOf(list)[0])
					.slice(0, 2),
			).toEqual(['retrieve', 'sync']);
	}
});

/** Fields with the fields of their nested groups. */
function allFields(properties: readonly INodeProperties[]): INodeProperties[] {
	return properties.flatMap((field) => [
		field,
		...(field.options ?? []).flatMap((group) => ('values' in group ? allFields(group.values) : [])),
	]);
}

test('a key in a credential is a password field, which the lint does not detect in built fields', async () => {
	const fields = (await loadCredentials()).flatMap(({ properties }) => allFields(properties));
	const secret = fields.filter(({ name }) => /key$|^value$/i.test(name));
	expect(secret).not.toEqual([]);
	expect(secret.filter(({ typeOptions }) => typeOptions?.password !== true)).toEqual([]);
});
