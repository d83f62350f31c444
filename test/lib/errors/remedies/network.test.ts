import { failure } from '../../../../lib/errors/failure';

describe('remedies', () => {
	test('localhost in a container is explained, other hosts are not told about Docker', () => {
		expect(failure('refused', { url: 'http://localhost:8080/v1' }).remedy).toContain('n8n container itself');
		expect(failure('refused', { url: 'http://10.0.0.5/v1' })).toMatchObject({
			message: 'The machine "10.0.0.5" answers, but nothing listens on port 80',
			url: 'http://10.0.0.5/v1',
			remedy: expect.stringContaining('--host 0.0.0.0'),
		});
	});
});
