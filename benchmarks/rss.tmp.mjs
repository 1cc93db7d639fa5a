process.on('exit',()=>console.log('maxrss',process.resourceUsage().maxRSS/1024|0));
await import('./peer.tmp.mjs');
