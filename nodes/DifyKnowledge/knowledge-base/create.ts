import { baseNamed, createBase } from '../../../lib/dify/knowledge/bases';
import { retrievalModel } from '../../../lib/dify/knowledge/retrieve';
import { asFailed } from '../../../lib/errors/server-error';
import type { DifyOperation } from '../../shared/dify/run';
import { choiceField, choices, optionsCollection } from '../../shared/field-kinds';
import {
	isSet,
	nameField,
	searchDefaults,
	searchDefaultsIn,
	settings,
	settingsIn,
} from './settings';

export const knowledgeBaseCreate: DifyOperation = {
	option: { name: 'Create', value: 'create', action: 'Create a knowledge base' },
	fields: [
		nameField,
		optionsCollection([
			...settings,
			...searchDefaults,
			choiceField('If It Exists', 'ifExists', 'fail', {
				options: choices({
					fail: 'Fail',
					use: ['Use It', 'The knowledge base of that name, as it is'],
				}),
			}),
		]),
	],
	run: async ({ api, parameters }) => {
		const name = parameters.name('name');
		const { permission = 'all_team_members', ...rest } = settingsIn(parameters);
		const search = searchDefaultsIn(parameters);
		const asBase = {
			indexing_technique: rest.technique ?? (rest.embeddingModel ? 'high_quality' : undefined),
		};
		const model = isSet(search) ? retrievalModel(asBase, search) : undefined;
		const made = await createBase(api, { ...rest, name, permission, retrievalModel: model }).then(
			(base) => ({ base }),
			asFailed,
		);
		if ('base' in made) return [{ json: made.base }];
		if (
			made.failed.kind !== 'nameTaken' ||
			parameters.choice<'fail' | 'use'>('options.ifExists', 'fail') !== 'use'
		)
			throw made.failed;
		const known = await baseNamed(api, name);
		if (known === undefined) throw made.failed;
		return [{ json: known }];
	},
};
