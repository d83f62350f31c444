import type { Upload } from './types';

/** Fields and files of a form; undefined if the body has another type. */
export async function readForm(type: string, body: Uint8Array): Promise<Upload | undefined> {
	if (!/^multipart\/form-data;/i.test(type)) return undefined;
	const form = await new Response(body, { headers: { 'content-type': type } }).formData();
	const upload: Upload = { fields: {}, parts: [] };
	for (const [name, value] of form) {
		if (typeof value === 'string') {
			upload.fields[name] = value;
			continue;
		}
		const content = new Uint8Array(await value.arrayBuffer());
		const { name: filename, type: mimeType, size } = value;
		upload.parts.push({ name, filename, mimeType, size, content });
	}
	return upload;
}
