import { OLDEST_N8N, describeUnsupportedN8n } from '../../lib/supported-n8n';

test('an n8n that is too old is reported with the reason and both solutions', () => {
	expect(OLDEST_N8N).toMatch(/^\d+\.\d+\.\d+$/);
	const sentence = describeUnsupportedN8n('it has no wheels');
	expect(sentence).toContain(`${OLDEST_N8N} or newer: it has no wheels.`);
	expect(sentence).toContain('Update n8n');
	expect(sentence).toContain('update the package');
});
