import type { INodeProperties } from 'n8n-workflow';

import { optional } from '../../lib/values';
import { choicesField, optionsCollection } from './field-kinds';

/** Most options in one collection; more are grouped. */
const FEW = 12;
const MORE_OPTIONS = 'moreOptions';

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

/** Groups of the options of models. */
const OF_MODELS: readonly OptionGroup[] = [
	group(
		'Sampling',
		/^(topK|minP|typicalP|topNSigma|xtc[A-Z]\w*|mirostat\w*)$/,
		'How the next token is chosen: Top K, Min P, Typical P, Top N Sigma, XTC, Mirostat',
	),
	group(
		'Repetition',
		/^(repeat[A-Z]\w*|presencePenalty|frequencyPenalty|dry[A-Z]\w*)$/,
		'What keeps a model from saying the same again: penalties for repetition, DRY',
	),
	group(
		'Thinking and Tools',
		/^(reasoningEcho|showThinking|thinking[A-Z]\w*|textFormat|controlTokens|parallelToolCalls|tool\w*)$/,
		'What happens to the thinking and to calls of tools',
	),
	group(
		'Output',
		/^(binaryPropertyOutput|fileName|outputFormat|sampleRate|wrapAsWav|encoding|logprobs|returnTokens)$/,
		'What the items hold',
	),
	group(
		'Server',
		/^(cache[A-Z]\w*|slotId|lora|contextSize|keepAlive|priority|chatTemplateArguments|extraFiles|extraBody)$/,
		'What servers take beyond the usual: prompt cache, slot, LoRA, context size, Keep Alive, Priority, Extra Body',
	),
];

/**
 * Options of a node or an operation: one collection if they are few, else groups. Several groups are hidden until they
 * are chosen in "More Options". n8n drops the values of hidden ones.
 */
export function optionsFields(
	options: readonly INodeProperties[],
	{
		description,
		groups = OF_MODELS,
	}: { description?: string; groups?: readonly OptionGroup[] } = {},
): INodeProperties[] {
	const collection = (members: readonly INodeProperties[]) => ({
		...optionsCollection(members),
		...optional({ description }),
	});
	if (options.length <= FEW) return [collection(options)];
	const filled = groups
		.map((group) => ({ group, members: options.filter(({ name }) => group.holds.test(name)) }))
		.filter(({ members }) => members.length > 1);
	const grouped = new Set(filled.flatMap(({ members }) => members));
	const common = collection(options.filter((option) => !grouped.has(option)));
	const fields = filled.map(({ group, members }) => groupField(group, members));
	if (fields.length <= 1) return [common, ...fields];
	return [common, moreOptionsField(fields), ...fields.map(shownWhenChosen)];
}

function groupField({ field }: OptionGroup, members: readonly INodeProperties[]): INodeProperties {
	const placeholder = `Add ${field.displayName} Option`;
	return { ...optionsCollection(members), ...field, placeholder };
}

function moreOptionsField(fields: readonly INodeProperties[]): INodeProperties {
	return choicesField('More Options', MORE_OPTIONS, {
		noDataExpression: true,
		options: fields.map(({ displayName, name, description }) => ({
			name: displayName,
			value: name,
			description,
		})),
		description: 'Further groups of options to show. A group that is not chosen has no effect.',
	});
}

/** `displayOptions` cannot ask whether a collection has values: n8n compares simple values only. */
function shownWhenChosen(field: INodeProperties): INodeProperties {
	return { ...field, displayOptions: { show: { [MORE_OPTIONS]: [field.name] } } };
}

/** Names of the collections that may hold an option: the collection itself, and its group. */
export function placesOf(
	properties: readonly INodeProperties[],
	collection: string,
	option: string,
): string[] {
	const groups = properties.filter(
		({ name, type, options = [] }) =>
			type === 'collection' &&
			name.startsWith(collection) &&
			options.some((member) => member.name === option),
	);
	return [...new Set([collection, ...groups.map(({ name }) => name)])];
}
