import type { INodeProperties } from 'n8n-workflow';
import { booleanField, choiceField, choices, optionsCollection } from '../shared/field-kinds';

/** n8n lists the options of a field with this label as the actions of a trigger. */
const rating = choiceField('Trigger On', 'rating', 'any', {
	options: [
		{ name: 'Any Rating', value: 'any', action: 'When an answer was rated' },
		{ name: 'Dislike', value: 'dislike', action: 'When an answer was disliked' },
		{ name: 'Like', value: 'like', action: 'When an answer was liked' },
	],
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
