import type { INodeProperties } from 'n8n-workflow';
import { booleanField, choiceField, toOptions, optionsCollection } from '../shared/field-builders';

/** n8n lists the options of a field with this label as the actions of a trigger. */
const rating = choiceField('Trigger On', 'rating', 'any', {
	options: [
		{ name: 'Any Rating', value: 'any', action: 'When a message is rated' },
		{ name: 'Dislike', value: 'dislike', action: 'When a message is disliked' },
		{ name: 'Like', value: 'like', action: 'When a message is liked' },
	],
});

const options: INodeProperties = optionsCollection([
	booleanField('Include Changed Ratings', 'changed', true, {
		description:
			'Whether a changed rating, such as a comment added later, starts the workflow again. On if not set. Detected among the newest 100 ratings.',
	}),
	choiceField('From', 'source', 'user', {
		options: toOptions({
			admin: 'Team in Dify',
			user: 'App Users',
		}),
		description: 'Whose ratings start the workflow. If not set, all ratings do.',
	}),
]);

export const properties: INodeProperties[] = [rating, options];
