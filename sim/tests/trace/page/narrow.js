const [diagram, panel] = [scroll.getBoundingClientRect(), get("panel").getBoundingClientRect()];
seen.width = innerWidth;
seen.below = panel.top >= diagram.bottom - 1 && panel.width > innerWidth * 0.9;
seen.beside = panel.left >= diagram.right - 1;
seen.fits = document.documentElement.scrollWidth <= innerWidth;
select(LAST);
seen.inSight = isInSight(LAST);
seen.text = scroll.clientWidth - listLeft() > 120;
