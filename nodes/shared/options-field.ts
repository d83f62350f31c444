import type { INodeProperties } from 'n8n-workflow';

import { optional } from '../../lib/values';
import { optionsCollection } from './field-kinds';

/** A group of a long list of options. */
interface OptionGroup {
	/** Names of its options. An option that no group holds stays in "Options". */
	holds: RegExp;
	/** The name is stored in workflows, and begins with the collection's name. */
	field: Required<Pick<INodeProperties, 'displayName' | 'name' | 'description'>>;
}

export function group(displayName: string, holds: RegExp, description: string): OptionGroup {
	return {
		holds,
		field: { displayName, name: `options${displayName.split(' ')[0]}`, description },
	};
}

/** Group of the limits of a run of Dify. */
export const limitsGroup = group(
	'Limits',
	/^(\w+Limit|maxRetries|itemsAtOnce)$/,
	'How long to wait, how often to try again, and how many items at the same time',
);

/**
 * Options of a node or an operation as one collection, and those of a group as another one.
 *
 * @param groups default: none
 */
export function optionsFields(
	options: readonly INodeProperties[],
	{ description, groups = [] }: { description?: string; groups?: readonly OptionGroup[] } = {},
): INodeProperties[] {
	const collection = (members: readonly INodeProperties[]) => ({
		...optionsCollection(members),
		...optional({ description }),
	});
	const filled = groups
		.map((group) => ({ group, members: options.filter(({ name }) => group.holds.test(name)) }))
		.filter(({ members }) => members.length > 1);
	const grouped = new Set(filled.flatMap(({ members }) => members));
	const common = collection(options.filter((option) => !grouped.has(option)));
	return [common, ...filled.map(({ group, members }) => groupField(group, members))];
}

function groupField({ field }: OptionGroup, members: readonly INodeProperties[]): INodeProperties {
	const placeholder = `Add ${field.displayName} Option`;
	return { ...optionsCollection(members), ...field, placeholder };
}
