/** Every element of a page with its attributes, as a strict reader sees it; fails where tags do not match. */
export function elements(
	page: string,
): Array<{ name: string; attributes: Record<string, string> }> {
	const found: Array<{ name: string; attributes: Record<string, string> }> = [];
	const open: string[] = [];
	const withoutStyle = page
		.replace(/<style>[^<]*<\/style>/, '<style></style>')
		.replace(/^<!doctype html>/, '');
	let at = 0;
	for (const match of withoutStyle.matchAll(
		/<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+="[^"<>]*")*)\s*(\/?)>/g,
	)) {
		const [whole, closing, name, attributes, closed] = match as unknown as [
			string,
			string,
			string,
			string,
			string,
		];
		const between = withoutStyle.slice(at, match.index);
		if (/[<>]/.test(between)) throw new Error(`a bare angle bracket in ${between}`);
		if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(between))
			throw new Error(`a bare ampersand in ${between}`);
		at = match.index + whole.length;
		if (closing === '/') {
			const last = open.pop();
			if (last !== name) throw new Error(`</${name}> where </${last}> is due`);
			continue;
		}
		found.push({
			name,
			attributes: Object.fromEntries(
				[...attributes.matchAll(/([a-zA-Z-]+)="([^"]*)"/g)].map(([, key, value]) => [key!, value!]),
			),
		});
		if (closed !== '/' && name !== 'meta') open.push(name);
	}
	if (/[<>]/.test(withoutStyle.slice(at))) throw new Error('a bare angle bracket at the end');
	if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
	return found;
}
