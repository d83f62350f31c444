import { NodeHelpers } from 'n8n-workflow';

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
