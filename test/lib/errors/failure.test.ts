import { failure } from '../../../lib/errors/failure';

describe('remedies', () => {
	test('what is asked for decides whose words are used, where both have the kind', () => {
		expect(failure('unauthorized', {}).remedy).toContain('llama-server');
		expect(failure('unauthorized', { service: 'dify' }).remedy).toContain('"Dify API" credential');
	});
});
