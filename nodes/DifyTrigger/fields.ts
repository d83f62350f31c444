import type { INodeProperties } from 'n8n-workflow';
import { booleanField, choiceField, choices, optionsCollection } from '../shared/field-kinds';

const rating = choiceField('Rating', 'rating', 'any', {
	options: choices({
		any: 'Any',
		dislike: 'Dislike',
		like: 'Like',
	}),
	description: 'Which ratings start the workflow',
});

const options: INodeProperties = optionsCollection([
	booleanField('Changed Ratings', 'changed', true, {
		description:
			'Whether a rating that was changed starts the workflow again, such as a text that came later. Without this option: yes. Noticed among the newest 100.',
	}),
	choiceField('From', 'source', 'user', {
		options: choices({
			admin: 'Team in Dify',
			user: 'Users of the App',
		}),
		description: 'Whose ratings start the workflow. Without this option: all.',
	}),
]);

export const properties: INodeProperties[] = [rating, options];
