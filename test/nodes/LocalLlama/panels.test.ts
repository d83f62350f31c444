import { NodeHelpers, type INodeProperties } from 'n8n-workflow';

import { operations } from '../../../nodes/LocalLlama/resources';

test.each([
	['vector', 'embed', ['Model', 'Text', 'Role', 'Options']],
	['vector', 'rerank', ['Model', 'Query', 'Document', 'Top N', 'Options']],
	['image', 'generate', ['Model', 'Prompt', 'Options']],
	['audio', 'transcribe', ['Model', 'Input Binary Field', 'Response Format', 'Options']],
	['audio', 'speak', ['Model', 'Text', 'Voice', 'Options']],
	['model', 'getAll', ['Options']],
])('%s: %s as added shows only what everyone needs', (resource, operation, labels) => {
	const values = { resource, operation };
	const fields = operations.properties.filter((field) =>
		NodeHelpers.displayParameter(values, field, { typeVersion: 1 }, null),
	);
	const shownLabels = fields.map(({ displayName }) => displayName);
	expect(shownLabels).toEqual(['Resource', 'Operation', ...labels]);
});

// n8n lists such an option under "Add Option" only after the other has its value.
test.each(['chat', 'extract'])(
	'%s: an option names the options that it makes available',
	(operation) => {
		const { options: members = [] } = operations.properties.find(
			(field) =>
				field.name === 'options' &&
				NodeHelpers.displayParameter(
					{ resource: 'text', operation },
					field,
					{ typeVersion: 1 },
					null,
				),
		)!;
		const options = members as INodeProperties[];
		const dependent = options.flatMap(({ displayName, displayOptions }) =>
			Object.keys(displayOptions?.show ?? {}).map((name) => ({ displayName, name })),
		);
		expect(dependent.length).toBeGreaterThan(0);
		for (const { displayName, name } of dependent) {
			const { description } = options.find((option) => option.name === name)!;
			expect(description).toContain(`"${displayName}"`);
		}
	},
);
