import { type INodeParameters, type INodeProperties, NodeHelpers } from 'n8n-workflow';

import { operations } from '../../../../nodes/LocalLlama/resources';

const { properties } = operations;
const NODE = { typeVersion: 1 };

const getShownFields = (values: INodeParameters) =>
	properties.filter((field) => NodeHelpers.displayParameter(values, field, NODE, null));

test.each([
	['chat', ['Model', 'Prompt', 'System Message', 'Options']],
	['extract', ['Model', 'Text', 'Fields', 'Options']],
	['classify', ['Model', 'Text', 'Labels', 'Options']],
	['complete', ['Model', 'Prompt', 'Options']],
])('%s as added shows only what everyone needs', (operation, labels) => {
	const shownLabels = getShownFields({ resource: 'text', operation }).map(
		({ displayName }) => displayName,
	);
	expect(shownLabels).toEqual(['Resource', 'Operation', ...labels]);
});

const DEPENDENT = {
	thinkingEffort: 'high',
	thinkingBudget: 5,
	jsonSchema: '{"type":"object"}',
	grammar: 'root ::= "a"',
};

test.each<[string, INodeParameters, string[]]>([
	['chat', {}, []],
	['chat', { thinking: 'on', responseFormat: 'jsonObject' }, []],
	['chat', { thinking: 'effort' }, ['thinkingEffort']],
	['chat', { thinking: 'budget' }, ['thinkingBudget']],
	['chat', { responseFormat: 'jsonSchema' }, ['jsonSchema']],
	['chat', { responseFormat: 'grammar' }, ['grammar']],
	['chat', { thinking: '={{ $json.mode }}' }, ['thinkingEffort', 'thinkingBudget']],
	['extract', {}, ['jsonSchema']],
	['extract', { thinking: 'effort' }, ['thinkingEffort', 'jsonSchema']],
])('n8n offers and keeps options that depend on others: %s with %j', (operation, options, kept) => {
	const values = { resource: 'text', operation, options: { ...options, ...DEPENDENT } };
	const collection = getShownFields(values).find(({ name }) => name === 'options')!;
	const isOffered = (option: INodeProperties) =>
		NodeHelpers.displayParameterPath(values, option, 'options', NODE, null);
	const dependentOptions = (collection.options as INodeProperties[]).filter(
		({ name }) => name in DEPENDENT,
	);
	expect(new Set(dependentOptions.filter(isOffered).map(({ name }) => name))).toEqual(
		new Set(kept),
	);
	const loaded = NodeHelpers.getNodeParameters(properties, values, true, false, NODE, null);
	const expected = Object.entries(DEPENDENT).filter(([name]) => kept.includes(name));
	expect(loaded!.options).toEqual({ ...options, ...Object.fromEntries(expected) });
});
