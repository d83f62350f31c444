/**
 * What the panel of each node offers: each field with its label, type, default, range and choices, and when it is shown. A
 * workflow stores no default, so a changed one changes workflows that exist.
 */
import type {
	INodeProperties,
	INodePropertyCollection,
	INodeType,
	ICredentialType,
} from 'n8n-workflow';

import { DifyApi } from '../../credentials/DifyApi.credentials';
import { LocalLlamaApi } from '../../credentials/LocalLlamaApi.credentials';
import { NODES } from '../faults/operations';
import { expectApproved } from '../support/approved/approved-table';
import type { ApprovedRow } from '../support/approved/approved-table';
import path from 'node:path';

/** What a person can do with a field, without its description. */
function describeField({
	displayName,
	type,
	default: value,
	required,
	typeOptions,
	options = [],
	displayOptions,
	noDataExpression,
	modes,
}: INodeProperties): string {
	const choices = options.flatMap((option) => ('value' in option ? [String(option.value)] : []));
	const parts = {
		default: JSON.stringify(value),
		required,
		...typeOptions,
		noDataExpression,
		choices: choices.length > 0 ? choices.join(' ') : undefined,
		modes: modes?.map(({ name }) => name).join(' '),
		show: displayOptions && JSON.stringify(displayOptions),
	};
	const known = Object.entries(parts).filter(([, part]) => part !== undefined);
	return [
		`${displayName}, ${type}`,
		...known.map(
			([name, part]) => `${name} ${typeof part === 'object' ? JSON.stringify(part) : String(part)}`,
		),
	].join('; ');
}

function listFields(fields: readonly INodeProperties[], place: string): ApprovedRow[] {
	const counts = new Map<string, number>();
	return fields.flatMap((field) => {
		const count = (counts.get(field.name) ?? 0) + 1;
		counts.set(field.name, count);
		const input = `${place}${field.name}${count > 1 ? ` (${count})` : ''}`;
		const inner = (field.options ?? []) as Array<INodeProperties | INodePropertyCollection>;
		return [
			{ input, outcome: describeField(field) },
			...inner.flatMap((option) => {
				if ('values' in option) return listFields(option.values, `${input}.${option.name}.`);
				return 'displayName' in option && 'type' in option ? listFields([option], `${input}.`) : [];
			}),
		];
	});
}

test.each(NODES)('%s', async (name) => {
	const module = (await import(`../../nodes/${name}/${name}.node`)) as Record<
		string,
		new () => INodeType
	>;
	const { properties, ...description } = new module[name]!().description;
	const { version, group, inputs, outputs, usableAsTool, polling, credentials } = description;
	const about = { version, group, inputs, outputs, usableAsTool, polling, credentials };
	const rows = [{ input: 'the node', outcome: about }, ...listFields(properties, '')];
	expectApproved(
		path.join(__dirname, `panels.${name}.approved.txt`),
		rows,
		'A panel changes only on purpose: workflows store no defaults',
	);
});

test('the credentials', () => {
	const all: ICredentialType[] = [new DifyApi(), new LocalLlamaApi()];
	const rows = all.flatMap(({ name, displayName, properties, test: check, authenticate }) => [
		{ input: name, outcome: { displayName, check, authenticate } },
		...listFields(properties, `${name} `),
	]);
	expectApproved(
		path.join(__dirname, 'panels.credentials.approved.txt'),
		rows,
		"A credential's panel changes only on purpose",
	);
});
