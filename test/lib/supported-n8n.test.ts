import { OLDEST_N8N, unsupportedN8n } from '../../lib/supported-n8n';

test('an n8n that is too old is named to the user with the reason and both ways out', () => {
	expect(OLDEST_N8N).toMatch(/^\d+\.\d+\.\d+$/);
	const sentence = unsupportedN8n('it has no wheels');
	expect(sentence).toContain(`${OLDEST_N8N} or newer: it has no wheels.`);
	expect(sentence).toContain('Update n8n');
	expect(sentence).toContain('update the package');
});
