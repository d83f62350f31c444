/** Fields of Dify Trigger. */
import type { INodeProperties } from 'n8n-workflow';
import { booleanField, choiceField, optionsCollection } from '../shared/field-builders';

/** n8n lists the options of a field with this label as the actions of a trigger. */
export const rating: INodeProperties = choiceField('Trigger On', 'rating', 'any', [
	{ name: 'Any Rating', value: 'any', action: 'When a message is rated' },
	{ name: 'Dislike', value: 'dislike', action: 'When a message is disliked' },
	{ name: 'Like', value: 'like', action: 'When a message is liked' },
]);

export const properties: INodeProperties[] = [
	rating,
	optionsCollection([
		booleanField(
			'Include Changed Ratings',
			'changed',
			true,
			'Whether a changed rating, such as a comment added later, starts the workflow again. On if not set. Detected among the newest 100 ratings.',
		),
		choiceField(
			'From',
			'source',
			'user',
			{
				admin: 'Team in Dify',
				user: 'App Users',
			},
			'Whose ratings start the workflow. If not set, all ratings do.',
		),
	]),
];
