import { cutQuery, retrieve } from '../../../lib/dify/knowledge/retrieve';
import {
	datasetField,
	datasetIdIn,
	filterFields,
	searchOptions,
	searchSettings,
	topKField,
} from '../../shared/dify/knowledge-fields';
import type { DifyOperation } from '../../shared/dify/run';
import { simplifyField } from '../../shared/dify/run-options';
import { choiceField, choices, optionsCollection, stringField } from '../../shared/field-kinds';
import { itemsOf } from '../../shared/run/operations';

export const knowledgeBaseRetrieve: DifyOperation = {
	option: {
		name: 'Retrieve',
		value: 'retrieve',
		action: 'Retrieve from a knowledge base',
		description: 'Find the parts of documents that fit a question',
	},
	fields: [
		datasetField,
		stringField('Query', 'query', {
			required: true,
			description: 'What to look for, at most 250 characters',
		}),
		topKField,
		...filterFields,
		simplifyField,
		optionsCollection([
			...searchOptions,
			choiceField('Long Queries', 'longQueries', 'auto', {
				options: choices({
					auto: ['Automatic', 'Cut where an agent uses the node, otherwise refuse'],
					cut: ['Cut', 'Only the first 250 characters count'],
					refuse: 'Refuse',
				}),
				description:
					'What to do with queries of more than 250 characters, which Dify does not take',
			}),
		]),
	],
	run: async ({ api, parameters, context, hint }) => {
		const settings = searchSettings(parameters);
		const long = parameters.choice<'auto' | 'cut' | 'refuse'>('options.longQueries', 'auto');
		// As a tool of an agent, a node's type ends with "Tool".
		const cuts = long === 'cut' || (long === 'auto' && context.getNode().type.endsWith('Tool'));
		const typed = parameters.freeText('query');
		const { query, cut } = cuts ? cutQuery(typed) : { query: typed, cut: false };
		if (cut) hint('The query was cut to 250 characters, which is all that Dify takes.');
		const { hits, records } = await retrieve(api, datasetIdIn(parameters), query, settings);
		return itemsOf(parameters.flag('simplify', true) ? hits : records);
	},
};
