/**
 * Retries when the connection breaks: n8n does not answer while it writes a large execution.
 *
 * @template T
 * @param {import('../../scripts/lib/types').N8nServer} n8n
 * @param {() => Promise<T>} ask
 * @returns {Promise<T>}
 */
export const patiently = async (n8n, ask) => {
	for (;;) {
		try {
			return await ask();
		} catch (error) {
			if (!(error instanceof TypeError) || !n8n.service.running) throw error;
		}
	}
};
